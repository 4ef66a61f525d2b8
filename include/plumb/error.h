/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plumb/error.h - status codes, borrowed strings, places and errors.
 *
 * Every function that can fail returns a pl_status and, where it can say more, fills a pl_err. An
 * error says what was being done, to what, why it failed, and where the cause is written. Errors
 * chain outward: each caller that knows more puts "what it was doing" in front with pl_err_in().
 *
 * Threads: a pl_err belongs to one thread at a time. Everything else here is a plain value.
 */
#ifndef PLUMB_ERROR_H
#define PLUMB_ERROR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define PL_API		__attribute__((visibility("default")))
#define PL_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define PL_API
#define PL_PRINTF(f, a)
#endif

/* A fixed-width integer, not an enum: an enum's width is the compiler's choice. */
typedef int32_t pl_status;

enum {
	PL_OK = 0,
	PL_EINVAL = 1,	      /* bad input: a document, an option, an argument */
	PL_ENOTFOUND = 2,     /* the named thing does not exist */
	PL_EEXIST = 3,	      /* it exists already */
	PL_ETOOBIG = 4,	      /* a limit on size, depth, count or memory was reached */
	PL_ETIMEOUT = 5,      /* the time allowed ran out */
	PL_ECANCELLED = 6,    /* the caller took the work back */
	PL_EIO = 7,	      /* the system refused a read or a write (disk full, permission …) */
	PL_EAUTH = 8,	      /* credentials are missing or were refused */
	PL_EUNAVAILABLE = 9,  /* the other side can't be reached now; worth another try */
	PL_ECONFLICT = 10,    /* somebody else owns or has changed it */
	PL_EDENIED = 11,      /* a rule forbids it */
	PL_EPLUGIN = 12,      /* a plugin broke the contract */
	PL_ECRASHED = 13,     /* a worker process died (signal, limit) */
	PL_EUNSUPPORTED = 14, /* it is understood but can't be done here */
	PL_EBUSY = 15,	      /* locked or in use by another process */
	PL_EINTERNAL = 16     /* a bug in plumb */
};

/* A borrowed slice: not NUL-terminated, may hold NUL, UTF-8 unless said otherwise. p may be NULL when n is 0. */
typedef struct pl_str {
	const char *p;
	size_t n;
} pl_str;

/* A place in a user's file. file is borrowed, NULL when unknown; line and col count from 1, 0 when unknown. */
typedef struct pl_place {
	const char *file;
	uint32_t line;
	uint32_t col;
} pl_place;

typedef struct pl_err pl_err;

/* A fresh error with code PL_OK. Owned by the caller, freed with pl_err_free(). */
PL_API pl_err *pl_err_new(void);
PL_API void pl_err_free(pl_err *e);

/*
 * Replaces what e holds. Returns code, so that "return pl_err_set(…)" reads well. e may be NULL: then
 * only the code is returned. The place's file name is copied. The text is lower case, without a full
 * stop, subject quoted.
 */
PL_API pl_status pl_err_set(pl_err *e, pl_status code, pl_place at, const char *fmt, ...) PL_PRINTF(4, 5);

/* Puts "WHAT: " in front of the text, keeps code and place. Returns the code. */
PL_API pl_status pl_err_in(pl_err *e, const char *fmt, ...) PL_PRINTF(2, 3);

/* A remedy, shown in brackets behind the text: "did you mean 'replicas'?". */
PL_API void pl_err_hint(pl_err *e, const char *fmt, ...) PL_PRINTF(2, 3);

PL_API pl_status pl_err_code(const pl_err *e);
PL_API pl_place pl_err_place(const pl_err *e); /* file is valid until e changes */

/* The whole, "FILE:LINE:COL: TEXT (HINT)". Valid until e changes. Never NULL. */
PL_API const char *pl_err_text(const pl_err *e);

/* A short lower-case name of a code, "not found". Static. */
PL_API const char *pl_status_name(pl_status code);

#ifdef __cplusplus
}
#endif
#endif
