/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP listener, a module of its own (modules/http.so): libmicrohttpd and what it brings take longer to
 * load than most commands take to run, so only a daemon with `listen:` loads it. It answers GET and HEAD.
 */
#ifndef SERVER_HTTP_H
#define SERVER_HTTP_H

#include <stddef.h>
#include <stdint.h>

struct http_reply {
	unsigned status;
	const char *type; /* static */
	char *body;	  /* malloc'ed; the module frees it */
	size_t n;
};

typedef void (*http_handler)(void *ctx, const char *path, struct http_reply *out);

struct http_module {
	uint32_t size;
	/* host is a numeric address or a name; port 0 picks one. NULL: error is filled. */
	void *(*start)(const char *host, uint16_t port, http_handler handler, void *ctx, char *error,
		       size_t error_size);
	uint16_t (*port)(void *server);
	void (*stop)(void *server);
};

typedef const struct http_module *(*http_module_fn)(void);

#endif
