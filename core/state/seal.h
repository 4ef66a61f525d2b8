/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealing of what may hold Secret values: AES-256-GCM under a key that lies in a file of its own, so that a copy of the
 * database alone tells nothing. Not thread-safe: the store's lock guards it.
 *
 * A sealed text is: version byte, id of the key (8 bytes), nonce (12), tag (16), ciphertext. The nonce is random: one
 * key serves 2^32 seals, far more than a store ever makes.
 */
#ifndef STATE_SEAL_H
#define STATE_SEAL_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/err.h"

struct seal;

/* Reads dir/seal.key when it is there: PL_EDENIED when others may read it, PL_EINVAL when it is no key. Absent: made by
 * the first seal. */
pl_status seal_open(const char *dir, struct seal **out, struct pl_err *e);
void seal_close(struct seal *s); /* wipes the key */

/*
 * what and row say where the text is stored: it opens only there, so that sealed texts can't be swapped. Appends to
 * out.
 */
pl_status seal_text(struct seal *s, const char *what, pl_str row, pl_str text, struct buf *out, struct pl_err *e);
/* PL_EAUTH: sealed with a key that is not here; PL_EINVAL: changed since, or of another row. */
pl_status seal_unseal(struct seal *s, const char *what, pl_str row, pl_str sealed, struct arena *a, pl_str *text,
		      struct pl_err *e);

#endif
