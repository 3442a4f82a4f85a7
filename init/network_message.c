#include "network.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

bool network_address_parse(struct network_address *out, const char *text, struct err *err)
{
	struct view len_text = view_of(text), host = view_cut(&len_text, '/');
	struct network_address address = { .family = AF_INET, .prefix_len = 32 };
	char copy[INET6_ADDRSTRLEN + 1];
	uint64_t len = 0;

	if (host.len < sizeof(copy)) {
		memcpy(copy, host.ptr, host.len);
		copy[host.len] = '\0';
		if (inet_pton(AF_INET, copy, address.bytes) != 1) {
			address.family = AF_INET6;
			address.prefix_len = 128;
		}
	}
	if (host.len >= sizeof(copy) ||
	    (address.family == AF_INET6 && inet_pton(AF_INET6, copy, address.bytes) != 1) ||
	    (len_text.ptr && !view_number(len_text, 10, address.prefix_len, &len)))
		return err_set(err, ERR_FORMAT, "\"%.100s\" is no IP address", text);
	if (len_text.ptr)
		address.prefix_len = (uint8_t)len;
	*out = address;
	return true;
}

static size_t address_len(const struct network_address *address)
{
	return address->family == AF_INET ? 4 : 16;
}

MUST_CHECK static bool append_padded(struct bytes *out, const void *data, size_t len,
				     struct err *err)
{
	static const char zeros[NLMSG_ALIGNTO] = { 0 };

	return bytes_append(out, data, len, err) &&
	       bytes_append(out, zeros, NLMSG_ALIGN(len) - len, err);
}

MUST_CHECK static bool append_attribute(struct bytes *out, unsigned short type, const void *data,
					size_t len, struct err *err)
{
	const struct rtattr attribute = { .rta_len = (unsigned short)RTA_LENGTH(len),
					  .rta_type = type };

	return append_padded(out, &attribute, sizeof(attribute), err) &&
	       append_padded(out, data, len, err);
}

/* The header; its length is set when the message is whole. */
MUST_CHECK static bool start(struct bytes *out, unsigned short type, unsigned short flags,
			     const void *body, size_t body_len, struct err *err)
{
	const struct nlmsghdr header = {
		.nlmsg_type = type,
		.nlmsg_flags = (unsigned short)(NLM_F_REQUEST | NLM_F_ACK | flags),
	};

	bytes_clear(out);
	return append_padded(out, &header, sizeof(header), err) &&
	       append_padded(out, body, body_len, err);
}

static bool finish(struct bytes *out)
{
	const uint32_t len = (uint32_t)out->len;

	memcpy(out->data + offsetof(struct nlmsghdr, nlmsg_len), &len, sizeof(len));
	return true;
}

bool network_message_link_up(struct bytes *out, unsigned interface_index, uint32_t mtu,
			     struct err *err)
{
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC,
					.ifi_index = (int)interface_index,
					.ifi_flags = IFF_UP,
					.ifi_change = IFF_UP };

	return start(out, RTM_NEWLINK, 0, &link, sizeof(link), err) &&
	       (mtu == 0 || append_attribute(out, IFLA_MTU, &mtu, sizeof(mtu), err)) &&
	       finish(out);
}

bool network_message_address(struct bytes *out, unsigned interface_index,
			     const struct network_address *address, struct err *err)
{
	size_t len = address_len(address);
	const struct ifaddrmsg message = {
		.ifa_family = (uint8_t)address->family,
		.ifa_prefixlen = address->prefix_len,
		/* An IPv6 address would be unusable for a second of duplicate detection. */
		.ifa_flags = address->family == AF_INET6 ? IFA_F_NODAD : 0,
		.ifa_index = interface_index,
	};

	return start(out, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &message, sizeof(message),
		     err) &&
	       append_attribute(out, IFA_LOCAL, address->bytes, len, err) &&
	       append_attribute(out, IFA_ADDRESS, address->bytes, len, err) && finish(out);
}

bool network_message_route(struct bytes *out, unsigned interface_index,
			   const struct network_address *to, const struct network_address *via,
			   struct err *err)
{
	const struct network_address *any = to ? to : via;
	const struct rtmsg message = {
		.rtm_family = (uint8_t)any->family,
		.rtm_dst_len = to ? to->prefix_len : 0,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_BOOT,
		.rtm_scope = via ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
		.rtm_type = RTN_UNICAST,
	};

	return start(out, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &message, sizeof(message),
		     err) &&
	       (!to || append_attribute(out, RTA_DST, to->bytes, address_len(to), err)) &&
	       (!via || append_attribute(out, RTA_GATEWAY, via->bytes, address_len(via), err)) &&
	       append_attribute(out, RTA_OIF, &interface_index, sizeof(interface_index), err) &&
	       finish(out);
}
