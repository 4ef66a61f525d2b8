/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One listing of references answers every wanted revision:
 *   "", HEAD       the default branch
 *   refs/…         that reference
 *   40 hex digits  that commit, without asking
 *   NAME           the branch, else the tag, else refs/NAME; so a tag that a branch hides is written refs/tags/NAME
 * An annotated tag stands for its commit: servers list it as NAME^{}.
 */
#include "git.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEAREST	  3
#define NAME_MAX_ 256

static const git_remote_head *head_named(const struct git_session *x, const char *name)
{
	for (size_t i = 0; i < x->n_heads; i++)
		if (strcmp(x->heads[i]->name, name) == 0)
			return x->heads[i];
	return NULL;
}

static const git_remote_head *head_of(const struct git_session *x, const char *prefix, pl_str name)
{
	char *whole = git_printf("%s%.*s", prefix, (int)name.n, name.p);
	char *peeled = git_printf("%s^{}", whole);
	const git_remote_head *h = head_named(x, peeled);
	if (!h)
		h = head_named(x, whole);
	free(whole);
	free(peeled);
	return h;
}

/* ---- the nearest names ---- */

static size_t distance(const char *a, size_t n, const char *b, size_t m)
{
	size_t row[NAME_MAX_ + 1];
	for (size_t j = 0; j <= m; j++)
		row[j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t before = row[0];
		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t up = row[j], cost = before + (a[i - 1] != b[j - 1]);
			size_t least = up < row[j - 1] ? up + 1 : row[j - 1] + 1;
			row[j] = cost < least ? cost : least;
			before = up;
		}
	}
	return row[m];
}

static const char *short_name(const char *ref)
{
	static const char *const prefixes[] = {"refs/heads/", "refs/tags/"};
	for (size_t i = 0; i < 2; i++)
		if (strncmp(ref, prefixes[i], strlen(prefixes[i])) == 0 && !strstr(ref, "^{}"))
			return ref + strlen(prefixes[i]);
	return NULL;
}

/* The up to three names that need the fewest edits, as " (did you mean 'a', 'b'?)"; branches when none is near. */
static char *nearest(const struct git_session *x, pl_str wanted)
{
	const char *best[NEAREST] = {NULL};
	size_t cost[NEAREST] = {SIZE_MAX, SIZE_MAX, SIZE_MAX};
	for (size_t i = 0; i < x->n_heads; i++) {
		const char *name = short_name(x->heads[i]->name);
		size_t n = name ? strlen(name) : 0;
		if (!name || n > NAME_MAX_ || wanted.n > NAME_MAX_)
			continue;
		size_t d = distance(wanted.p, wanted.n, name, n), at = NEAREST;
		while (at > 0 && d < cost[at - 1])
			at--;
		if (at == NEAREST)
			continue;
		memmove(best + at + 1, best + at, (NEAREST - 1 - at) * sizeof(*best));
		memmove(cost + at + 1, cost + at, (NEAREST - 1 - at) * sizeof(*cost));
		best[at] = name;
		cost[at] = d;
	}
	bool near = best[0] && cost[0] <= (wanted.n + 2) / 3;
	char *text = git_printf(best[0] ? near ? " (did you mean" : " (there are" : "");
	for (size_t i = 0; i < NEAREST && best[i] && (!near || cost[i] <= (wanted.n + 2) / 3); i++) {
		char *more = git_printf("%s%s '%s'", text, i ? "," : "", best[i]);
		free(text);
		text = more;
	}
	char *all = git_printf("%s%s", text, best[0] ? near ? "?)" : ", …)" : "");
	free(text);
	return all;
}

/* ---- answers ---- */

static void found(const pl_host *h, pl_revision *r, const git_oid *id, const char *name)
{
	char hex[HEX + 1], *whole;
	git_oid_tostr(hex, sizeof(hex), id);
	whole = git_printf("%s%ssha1:%s", name, *name ? "@" : "", hex);
	r->status = PL_OK;
	r->id = git_host_dup(h, hex, HEX);
	r->name = git_host_dup(h, whole, strlen(whole));
	free(whole);
}

static void absent(const pl_host *h, pl_revision *r, pl_status st, char *text)
{
	r->status = st;
	git_scrub(text);
	r->error = git_host_dup(h, text, strlen(text));
	free(text);
}

static bool is_default(pl_str w)
{
	return w.n == 0 || (w.n == 4 && memcmp(w.p, "HEAD", 4) == 0);
}

static void answer_default(const struct git_session *x, pl_revision *r)
{
	const git_remote_head *h = head_named(x, "HEAD");
	if (h) {
		const char *branch = h->symref_target ? short_name(h->symref_target) : NULL;
		found(x->h, r, &h->oid, branch ? branch : h->symref_target ? h->symref_target : "HEAD");
		return;
	}
	char *names = nearest(x, (pl_str){"main", 4});
	absent(x->h, r, PL_ENOTFOUND,
	       git_printf("the HEAD of '%s' names no branch that exists, so there is no default branch: say which "
			  "revision is meant%s",
			  x->s->opt.url, names));
	free(names);
}

static const git_remote_head *look_up(const struct git_session *x, pl_str w)
{
	static const char *const prefixes[] = {"refs/heads/", "refs/tags/", "refs/"};
	if (w.n > 5 && memcmp(w.p, "refs/", 5) == 0)
		return head_of(x, "", w);
	const git_remote_head *h = NULL;
	for (size_t i = 0; i < 3 && !h; i++)
		h = head_of(x, prefixes[i], w);
	return h;
}

static void answer_name(const struct git_session *x, pl_str w, pl_revision *r)
{
	const git_remote_head *h = look_up(x, w);
	if (h) {
		char *name = git_strndup(w.p, w.n);
		found(x->h, r, &h->oid, name);
		free(name);
		return;
	}
	if (w.n >= 4 && w.n < HEX && git_is_hex(w)) {
		absent(x->h, r, PL_ENOTFOUND,
		       git_printf("'%.*s' is neither a branch nor a tag of '%s', and a short commit id can't be looked "
				  "up from afar (give "
				  "all 40 digits)",
				  (int)w.n, w.p, x->s->opt.url));
		return;
	}
	char *names = nearest(x, w);
	absent(x->h, r, PL_ENOTFOUND,
	       git_printf("'%s' has no branch or tag '%.*s'%s", x->s->opt.url, (int)w.n, w.p, names));
	free(names);
}

/* What can be said without a look at the other side. */
static bool answer_alone(const pl_host *h, pl_str w, pl_revision *r)
{
	git_oid id;
	if (w.n == HEX && git_is_hex(w) && git_oid_fromstrn(&id, w.p, HEX) == 0) {
		found(h, r, &id, "");
		return true;
	}
	if (w.n == 64 && git_is_hex(w)) {
		absent(h, r, PL_EUNSUPPORTED,
		       git_printf(
			       "'%.64s' is a commit id of a repository with SHA-256 objects, which can't be read yet",
			       w.p));
		return true;
	}
	if (w.n > NAME_MAX_ || memchr(w.p ? w.p : "", 0, w.n)) {
		absent(h, r, PL_EINVAL, git_printf("a revision may have at most %d bytes and no NUL", NAME_MAX_));
		return true;
	}
	return false;
}

static void answer(const struct git_session *x, pl_str w, pl_revision *r)
{
	if (x->n_heads == 0)
		absent(x->h, r, PL_ENOTFOUND,
		       git_printf("repository '%s' is empty: it has no branch yet", x->s->opt.url));
	else if (is_default(w))
		answer_default(x, r);
	else
		answer_name(x, w, r);
}

pl_status git_op_resolve(const pl_host *h, void *self, const pl_str *wanted, size_t n, pl_revision *out)
{
	struct git_session x = {0};
	bool *done = git_zalloc(n), ask = false;
	for (size_t i = 0; i < n; i++) {
		done[i] = answer_alone(h, wanted[i], &out[i]);
		ask |= !done[i];
	}
	pl_status st = ask ? git_check(h, self, "list the references of") : PL_OK;
	if (ask && !st)
		st = git_session_open(&x, h, self, NULL);
	for (size_t i = 0; i < n && ask && !st; i++)
		if (!done[i])
			answer(&x, wanted[i], &out[i]);
	git_session_close(&x);
	free(done);
	return st;
}
