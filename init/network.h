/* Interfaces, addresses and routes, by netlink; static ones only. */
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "init/contract/settings.h"

/* Bring up the loopback and what was set.
 * root_fd: where sys/class/net is
 * Errors: ERR_FORMAT     an address or a route that is none
 *         ERR_NOT_FOUND  no such interface
 *         ERR_IO         the kernel refuses; the interface and the address are named */
MUST_CHECK bool network_make(const struct settings *settings, int root_fd, struct err *err);

/* "10.0.2.15/24", "fd00::2/64"; without a length the whole address. Pure. */
struct network_address {
	int family; /* AF_INET or AF_INET6 */
	uint8_t bytes[16]; /* the first 4 of IPv4 */
	uint8_t prefix_len;
};
MUST_CHECK bool network_address_parse(struct network_address *out, const char *text,
				      struct err *err);

/* The netlink messages, one each. Pure.
 * route: to, a destination, or NULL for the default route of via's family; via may be NULL */
MUST_CHECK bool network_message_address(struct bytes *out, unsigned interface_index,
					const struct network_address *address, struct err *err);
MUST_CHECK bool network_message_route(struct bytes *out, unsigned interface_index,
				      const struct network_address *to,
				      const struct network_address *via, struct err *err);
MUST_CHECK bool network_message_link_up(struct bytes *out, unsigned interface_index, uint32_t mtu,
					struct err *err);
