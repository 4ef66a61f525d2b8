/* SPDX-License-Identifier: Apache-2.0 */
#include "core/server/http/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 64, TIMEOUT_S = 15, MEMORY_PER_CONNECTION = 16 * 1024 };

struct server {
	struct MHD_Daemon *daemon;
	http_handler handler;
	void *ctx;
};

static enum MHD_Result reply_text(struct MHD_Connection *c, unsigned status, const char *type, void *body, size_t n,
				  enum MHD_ResponseMemoryMode mode)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(n, body, mode);
	if (!r) {
		if (mode == MHD_RESPMEM_MUST_FREE)
			free(body);
		return MHD_NO;
	}
	enum MHD_Result ok = MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (ok == MHD_YES && status == MHD_HTTP_METHOD_NOT_ALLOWED)
		ok = MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	if (ok == MHD_YES)
		ok = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return ok;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url, const char *method,
				  const char *version, const char *data, size_t *data_size, void **state)
{
	struct server *s = cls;
	static char refused[] = "only GET and HEAD are answered here\n";
	(void)version;
	(void)data;
	if (!*state) { /* first call: the headers are there, a body may follow */
		*state = s;
		return MHD_YES;
	}
	if (*data_size) { /* a body nobody asked for is read away */
		*data_size = 0;
		return MHD_YES;
	}
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return reply_text(c, MHD_HTTP_METHOD_NOT_ALLOWED, "text/plain; charset=utf-8", refused,
				  sizeof refused - 1, MHD_RESPMEM_PERSISTENT);
	struct http_reply r = {.status = MHD_HTTP_NOT_FOUND, .type = "text/plain; charset=utf-8"};
	s->handler(s->ctx, url, &r);
	return reply_text(c, r.status, r.type, r.body, r.n, MHD_RESPMEM_MUST_FREE);
}

/* -1: error tells why, unless an earlier address has. */
static int listen_at(const struct addrinfo *a, char *error, size_t error_size)
{
	int one = 1, fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
	    bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, CONNECTIONS_MAX) == 0)
		return fd;
	if (!error[0])
		snprintf(error, error_size, "%s", strerrordesc_np(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static int listen_on(const char *host, uint16_t port, char *error, size_t error_size)
{
	char service[8];
	struct addrinfo want = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found = NULL;
	snprintf(service, sizeof service, "%u", port);
	int gai = getaddrinfo(host, service, &want, &found);
	if (gai) {
		snprintf(error, error_size, "%s", gai_strerror(gai));
		return -1;
	}
	/* A name may have addresses that this machine can't use; IPv4 first, as its users expect of localhost. */
	int fd = -1;
	for (const struct addrinfo *a = found; a && fd < 0; a = a->ai_next)
		if (a->ai_family == AF_INET)
			fd = listen_at(a, error, error_size);
	for (const struct addrinfo *a = found; a && fd < 0; a = a->ai_next)
		if (a->ai_family != AF_INET)
			fd = listen_at(a, error, error_size);
	freeaddrinfo(found);
	return fd;
}

static void *server_start(const char *host, uint16_t port, http_handler handler, void *ctx, char *error,
			  size_t error_size)
{
	int fd = listen_on(host, port, error, error_size);
	if (fd < 0)
		return NULL;
	struct server *s = calloc(1, sizeof *s);
	if (!s)
		abort();
	s->handler = handler;
	s->ctx = ctx;
	s->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL, 0, NULL, NULL, on_request, s,
				     MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
				     (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S,
				     MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_PER_CONNECTION, MHD_OPTION_END);
	if (!s->daemon) {
		snprintf(error, error_size, "the HTTP library could not start");
		close(fd);
		free(s);
		return NULL;
	}
	return s;
}

static uint16_t server_port(void *server)
{
	struct server *s = server;
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_LISTEN_FD);
	struct sockaddr_storage a;
	socklen_t len = sizeof a;
	memset(&a, 0, sizeof a);
	if (!info || getsockname(info->listen_fd, (struct sockaddr *)&a, &len) < 0)
		return 0;
	if (a.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)&a)->sin6_port);
	return ntohs(((struct sockaddr_in *)&a)->sin_port);
}

static void server_stop(void *server)
{
	struct server *s = server;
	MHD_stop_daemon(s->daemon);
	free(s);
}

__attribute__((visibility("default"))) const struct http_module *http_module(void);

const struct http_module *http_module(void)
{
	static const struct http_module module = {sizeof module, server_start, server_port, server_stop};
	return &module;
}
