/*
 * SPDX-License-Identifier: ISC
 *
 * Addresses of both families, as every process passes them around.
 * Pure: no descriptors, globals or clock.
 */
#ifndef ADDR_H
#define ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDR_STR_MAX	48	/* "[" INET6_ADDRSTRLEN "]" and its NUL */

/*
 * Network byte order in b; IPv4 uses the first four bytes and leaves the
 * rest zero, so that two addresses compare with memcmp.
 */
struct addr {
	uint8_t	af;		/* AF_INET, AF_INET6, or 0: none */
	uint8_t	b[16];
};

struct prefix {
	struct addr	addr;	/* host bits are zero */
	uint8_t		len;	/* 0 to 32, 0 to 128 */
};

/* Bytes of an address of this family: 4, 16, or 0 for no address. */
size_t	 addr_size(uint8_t);
bool	 addr_eq(const struct addr *, const struct addr *);
/* 127.0.0.0/8, ::1, and 127.0.0.0/8 mapped into IPv6. */
bool	 addr_is_loopback(const struct addr *);
/* 169.254.0.0/16 and fe80::/10. */
bool	 addr_is_linklocal(const struct addr *);
/* Multicast of both families and 255.255.255.255. */
bool	 addr_is_multicast(const struct addr *);

/* Plain text without brackets; returns the buffer, of ADDR_STR_MAX bytes. */
char	*addr_print(const struct addr *, char [ADDR_STR_MAX]);
/* The same with IPv6 in brackets, as before a port. */
char	*addr_print_host(const struct addr *, char [ADDR_STR_MAX]);
/* inet_pton(3)'s grammar, without brackets, scope or leading zeros. */
int	 addr_parse(const char *, struct addr *)
	    __attribute__((warn_unused_result));

bool	 prefix_covers(const struct prefix *, const struct addr *);
/* Clears the host bits. */
void	 prefix_normalize(struct prefix *);

#endif /* ADDR_H */
