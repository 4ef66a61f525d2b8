/* SPDX-License-Identifier: Apache-2.0 */
#include "core/server/socket.h"

#include "core/base/mem.h"
#include "core/doc/private.h"
#include "core/server/address.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

enum {
	CONNECTIONS_MAX = 32,
	REQUEST_MAX = 1024 * 1024,
	REPLY_MAX = 256 * 1024 * 1024,
	REQUEST_WAIT_MS = 5000, /* a client sends its one line at once */
	REPLY_WAIT_MS = 30000,	/* and reads: one that is stopped must not hold us */
	BREATH_MS = 100,	/* when no descriptor is left for a connection */
	STACK_SIZE = 512 * 1024
};

struct connection {
	struct control *control;
	int fd;
	struct cancel *cancel;
	pthread_mutex_t writing; /* events come on engine threads */
	struct connection *next;
};

struct control {
	struct engine *engine;
	const struct log *log;
	char *path;
	int listener, wake;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	struct connection *open;
	size_t n_open;
};

/* ---- one connection ---- */

static void send_line(struct connection *c, const char *key, pl_str json)
{
	struct buf b = BUF_INIT(REPLY_MAX + 64);
	buf_addf(&b, "{\"%s\":", key);
	buf_add(&b, json);
	buf_addz(&b, "}\n");
	pthread_mutex_lock(&c->writing);
	for (size_t at = 0; at < b.n;) {
		ssize_t n = send(c->fd, b.p + at, b.n - at, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) { /* the asker went away: what it asked for is taken back */
			cancel_fire(c->cancel);
			break;
		}
		at += (size_t)n;
	}
	pthread_mutex_unlock(&c->writing);
	buf_free(&b);
}

/* An engine's thread brings it: progress that nobody reads is dropped, not waited for. */
static void on_event(void *ctx, pl_str json)
{
	struct connection *c = ctx;
	struct pollfd p = {c->fd, POLLOUT, 0};
	if (poll(&p, 1, 0) == 1 && (p.revents & POLLOUT))
		send_line(c, "event", json);
}

static void send_error(struct connection *c, struct pl_err *e)
{
	pl_doc *d = pl_doc_new(NULL);
	pl_node *m = pl_new_map(d);
	struct buf b = BUF_INIT(REQUEST_MAX);
	pl_sets(d, m, "code", pl_new_int(d, pl_err_code(e)));
	pl_sets(d, m, "text", pl_new_string(d, str_of(pl_err_text(e))));
	if (json_print(m, 0, &b, NULL) == PL_OK)
		send_line(c, "error", buf_str(&b));
	buf_free(&b);
	pl_doc_unref(d);
}

static pl_status read_request(int fd, struct buf *line, struct pl_err *e)
{
	struct timeval ask = {REQUEST_WAIT_MS / 1000, 0}, reply = {REPLY_WAIT_MS / 1000, 0};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &ask, sizeof ask);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &reply, sizeof reply);
	while (!line->n || line->p[line->n - 1] != '\n') {
		char chunk[4096];
		ssize_t n = recv(fd, chunk, sizeof chunk, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(e, PL_EINVAL, "the request is not one line of JSON");
		buf_add(line, (pl_str){chunk, (size_t)n});
		if (buf_full(line))
			return err_set(e, PL_ETOOBIG, "the request is larger than %d bytes", REQUEST_MAX);
	}
	return PL_OK;
}

/* The user behind the connection; nobody but ourselves and root is served. */
static pl_status peer(int fd, char *name, size_t size, struct pl_err *e)
{
	struct ucred cred;
	socklen_t len = sizeof cred;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return err_errno(e, errno, "ask who is there");
	if (cred.uid != geteuid() && cred.uid != 0)
		return err_set(e, PL_EDENIED, "user %u may not use this control socket", (unsigned)cred.uid);
	struct passwd pw, *found = NULL;
	char space[4096];
	if (getpwuid_r(cred.uid, &pw, space, sizeof space, &found) == 0 && found)
		snprintf(name, size, "%s", found->pw_name);
	else
		snprintf(name, size, "%u", (unsigned)cred.uid);
	return PL_OK;
}

static pl_status serve(struct connection *c, pl_doc *d, struct pl_err *e)
{
	char user[256];
	struct buf line = BUF_INIT(REQUEST_MAX), json = BUF_INIT(REPLY_MAX);
	pl_node *request = NULL, *reply = NULL;
	struct api_context context = {.progress = on_event, .ctx = c, .cancel = c->cancel};
	pl_status st = peer(c->fd, user, sizeof user, e);
	context.user = str_of(user);
	if (!st)
		st = read_request(c->fd, &line, e);
	if (!st)
		st = pl_json_read(d, buf_str(&line), "request", 0, &request, e);
	if (!st)
		st = api_call(c->control->engine, &context, request, d, &reply, e);
	if (!st)
		st = json_print(reply, 0, &json, e);
	if (!st && buf_full(&json))
		st = err_set(e, PL_ETOOBIG, "the reply is larger than %d bytes", REPLY_MAX);
	if (!st)
		send_line(c, "reply", buf_str(&json));
	buf_free(&line);
	buf_free(&json);
	return st;
}

static void forget(struct connection *c)
{
	struct control *o = c->control;
	pthread_mutex_lock(&o->lock);
	for (struct connection **at = &o->open; *at; at = &(*at)->next) {
		if (*at == c) {
			*at = c->next;
			break;
		}
	}
	o->n_open--;
	pthread_cond_broadcast(&o->ended);
	pthread_mutex_unlock(&o->lock);
	close(c->fd);
	cancel_unref(c->cancel);
	pthread_mutex_destroy(&c->writing);
	free(c);
}

static void *connection_main(void *arg)
{
	struct connection *c = arg;
	struct pl_err e = ERR_INIT;
	pl_doc *d = pl_doc_new(NULL);
	if (serve(c, d, &e))
		send_error(c, &e);
	pl_doc_unref(d);
	err_clear(&e);
	forget(c);
	return NULL;
}

/* ---- the listener ---- */

static bool start_thread(pthread_t *t, void *(*fn)(void *), void *arg, bool detached)
{
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	if (detached)
		pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	bool ok = pthread_create(t, &attr, fn, arg) == 0;
	pthread_attr_destroy(&attr);
	return ok;
}

static void take(struct control *o, int fd)
{
	struct connection *c = mem_zalloc(sizeof *c);
	pthread_t t;
	c->control = o;
	c->fd = fd;
	c->cancel = cancel_new();
	pthread_mutex_init(&c->writing, NULL);
	pthread_mutex_lock(&o->lock);
	bool full = o->n_open >= CONNECTIONS_MAX;
	c->next = o->open;
	o->open = c;
	o->n_open++;
	pthread_mutex_unlock(&o->lock);
	if (!full && start_thread(&t, connection_main, c, true))
		return;
	struct pl_err e = ERR_INIT;
	err_set(&e, PL_EUNAVAILABLE, "the daemon serves %d requests already", CONNECTIONS_MAX);
	send_error(c, &e);
	err_clear(&e);
	forget(c);
}

/* Closed connections are noticed here, so that what they asked for ends although nothing is being sent. */
static size_t watch_set(struct control *o, struct pollfd *p)
{
	size_t n = 2;
	p[0] = (struct pollfd){o->wake, POLLIN, 0};
	p[1] = (struct pollfd){o->listener, POLLIN, 0};
	pthread_mutex_lock(&o->lock);
	for (struct connection *c = o->open; c && n < CONNECTIONS_MAX + 2; c = c->next)
		if (!cancel_fired(c->cancel))
			p[n++] = (struct pollfd){c->fd, POLLRDHUP, 0};
	pthread_mutex_unlock(&o->lock);
	return n;
}

static void drop_closed(struct control *o, const struct pollfd *p, size_t n)
{
	pthread_mutex_lock(&o->lock);
	for (size_t i = 2; i < n; i++)
		for (struct connection *c = o->open; c; c = c->next)
			if (c->fd == p[i].fd && (p[i].revents & (POLLRDHUP | POLLHUP | POLLERR)))
				cancel_fire(c->cancel);
	pthread_mutex_unlock(&o->lock);
}

static void *listener_main(void *arg)
{
	struct control *o = arg;
	for (;;) {
		struct pollfd p[CONNECTIONS_MAX + 2];
		size_t n = watch_set(o, p);
		if (poll(p, n, 1000) < 0 && errno != EINTR)
			log_line(o->log, LOG_ERROR, S(""), "control socket: poll: %s", strerrordesc_np(errno));
		if (p[0].revents)
			return NULL;
		drop_closed(o, p, n);
		int fd = p[1].revents ? accept4(o->listener, NULL, NULL, SOCK_CLOEXEC) : -1;
		if (fd >= 0)
			take(o, fd);
		else if (p[1].revents && errno != EINTR && errno != ECONNABORTED)
			poll(NULL, 0, BREATH_MS);
	}
}

static pl_status bind_at(const char *path, int *out, struct pl_err *e)
{
	struct address a;
	int error = address_open(&a, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		error = errno;
	unlink(path); /* left by a daemon that was killed: the state folder's lock is ours */
	mode_t old = umask(0177);
	if (!error && bind(fd, (struct sockaddr *)&a.a, sizeof a.a) < 0)
		error = errno;
	umask(old);
	if (!error && listen(fd, CONNECTIONS_MAX) < 0)
		error = errno;
	address_close(&a);
	if (!error) {
		*out = fd;
		return PL_OK;
	}
	if (fd >= 0)
		close(fd);
	return err_errno(e, error, "listen on the control socket '%s'", path);
}

pl_status control_start(struct engine *g, const char *path, const struct log *log, struct control **out,
			struct pl_err *e)
{
	int fd = -1;
	pl_status st = bind_at(path, &fd, e);
	if (st)
		return st;
	struct control *o = mem_zalloc(sizeof *o);
	*o = (struct control){.engine = g, .log = log, .path = str_dup(str_of(path)), .listener = fd};
	pthread_mutex_init(&o->lock, NULL);
	pthread_cond_init(&o->ended, NULL);
	o->wake = eventfd(0, EFD_CLOEXEC);
	if (o->wake < 0 || !start_thread(&o->thread, listener_main, o, false)) {
		st = err_errno(e, errno, "start the control socket's thread");
		close(fd);
		if (o->wake >= 0)
			close(o->wake);
		free(o->path);
		free(o);
		return st;
	}
	*out = o;
	return PL_OK;
}

void control_stop(struct control *o)
{
	if (!o)
		return;
	uint64_t one = 1;
	if (write(o->wake, &one, sizeof one) != sizeof one)
		BUG("an eventfd refused a write");
	pthread_join(o->thread, NULL);
	pthread_mutex_lock(&o->lock);
	for (struct connection *c = o->open; c; c = c->next) {
		cancel_fire(c->cancel);
		shutdown(c->fd, SHUT_RD);
	}
	while (o->n_open)
		pthread_cond_wait(&o->ended, &o->lock);
	pthread_mutex_unlock(&o->lock);
	unlink(o->path);
	close(o->listener);
	close(o->wake);
	pthread_mutex_destroy(&o->lock);
	pthread_cond_destroy(&o->ended);
	free(o->path);
	free(o);
}
