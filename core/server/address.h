/* SPDX-License-Identifier: Apache-2.0 */
/* The address of a Unix socket. Paths that don't fit into one are reached through their opened folder. */
#ifndef SERVER_ADDRESS_H
#define SERVER_ADDRESS_H

#include <sys/socket.h>
#include <sys/un.h>

struct address {
	struct sockaddr_un a;
	int folder; /* open while the address is used; -1: not needed */
};

int address_open(struct address *a, const char *path); /* 0, or an errno */
void address_close(struct address *a);

#endif
