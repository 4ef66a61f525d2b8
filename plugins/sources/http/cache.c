/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include <openssl/evp.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { STATE_MAX = 16384, KEPT_DAYS = 30 };

char *http_cache_path(const struct http_source *s, const char *id)
{
	return http_printf("%s/%s", s->folder, id);
}

bool http_cache_has(const struct http_source *s, const char *id)
{
	char *path = http_cache_path(s, id);
	bool has = access(path, R_OK) == 0;
	free(path);
	return has;
}

/* ---- what the server said: three lines ---- */

static char *take_line(char **rest)
{
	char *line = *rest, *end = strchr(line, '\n');
	if (end) {
		*end = 0;
		*rest = end + 1;
	} else {
		*rest = line + strlen(line);
	}
	return line;
}

/* What can't be read was not said: the whole file is asked for again. */
void http_state_read(const struct http_source *s, struct http_state *out)
{
	char text[STATE_MAX + 1], *rest = text, *path = http_cache_path(s, "state");
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, STATE_MAX) : -1;
	if (fd >= 0)
		close(fd);
	free(path);
	*out = (struct http_state){0};
	text[n > 0 ? n : 0] = 0;
	const char *id = take_line(&rest), *etag = take_line(&rest), *modified = take_line(&rest);
	if (!http_is_id((pl_str){id, strlen(id)}) || !http_cache_has(s, id))
		etag = modified = id = "";
	snprintf(out->id, sizeof(out->id), "%s", id);
	out->etag = http_strndup(etag, strlen(etag));
	out->modified = http_strndup(modified, strlen(modified));
}

void http_state_clear(struct http_state *st)
{
	free(st->etag);
	free(st->modified);
	*st = (struct http_state){0};
}

/* ---- writing ---- */

static int write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t done = write(fd, p, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

static pl_status put(const pl_host *h, const struct http_source *s, const char *name, const char *p, size_t n)
{
	char *tmp = http_printf("%s/.tmp-XXXXXX", s->folder), *path = http_cache_path(s, name);
	int fd = mkostemp(tmp, O_CLOEXEC);
	bool ok = fd >= 0 && write_all(fd, p, n) == 0 && fsync(fd) == 0;
	int why = errno;
	if (fd >= 0 && close(fd) < 0 && ok) {
		ok = false;
		why = errno;
	}
	if (ok && rename(tmp, path) < 0) {
		ok = false;
		why = errno;
	}
	if (!ok && fd >= 0)
		unlink(tmp);
	free(tmp);
	pl_status st = ok ? PL_OK : http_fail(h, PL_EIO, "write '%s': %s", path, strerrordesc_np(why));
	free(path);
	return st;
}

static void digest(const struct http_body *b, char id[HEX + 1])
{
	unsigned char sum[32];
	if (EVP_Digest(b->n ? b->p : "", b->n, sum, NULL, EVP_sha256(), NULL) != 1)
		abort(); /* no memory */
	for (size_t i = 0; i < sizeof(sum); i++)
		snprintf(id + 2 * i, 3, "%02x", sum[i]);
}

/* Contents that are not the newest and that nobody has fetched for long. */
static void tidy(const struct http_source *s, const char *keep)
{
	DIR *d = opendir(s->folder);
	time_t old = time(NULL) - (time_t)KEPT_DAYS * 24 * 3600;
	for (struct dirent *f = d ? readdir(d) : NULL; f; f = readdir(d)) {
		struct stat st;
		bool ours = http_is_id((pl_str){f->d_name, strlen(f->d_name)}) || strncmp(f->d_name, ".tmp-", 5) == 0;
		if (ours && strcmp(f->d_name, keep) != 0 && !fstatat(dirfd(d), f->d_name, &st, 0) && st.st_mtime < old)
			unlinkat(dirfd(d), f->d_name, 0);
	}
	if (d)
		closedir(d);
}

pl_status http_cache_put(const pl_host *h, const struct http_source *s, struct http_state *st,
			 const struct http_body *b)
{
	digest(b, st->id);
	pl_status status = put(h, s, st->id, b->p, b->n);
	if (status)
		return status;
	char *text = http_printf("%s\n%s\n%s\n", st->id, st->etag, st->modified);
	status = put(h, s, "state", text, strlen(text));
	free(text);
	tidy(s, st->id);
	return status;
}
