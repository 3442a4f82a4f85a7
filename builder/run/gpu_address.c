#include "gpu_address.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Each x stands for a hexadecimal digit, o for an octal one. */
static bool looks_like(const char *text, const char *shape)
{
	for (; *shape; shape++, text++) {
		unsigned char byte = (unsigned char)*text;

		if (*shape == 'x' ? !isxdigit(byte) :
		    *shape == 'o' ? byte < '0' || byte > '7' :
				    byte != (unsigned char)*shape)
			return false;
	}
	return *text == '\0';
}

bool gpu_address_parse(char out[GPU_ADDRESS_BYTES], const char *text, struct err *err)
{
	bool is_short = looks_like(text, "xx:xx.o");

	if (!is_short && !looks_like(text, "xxxx:xx:xx.o"))
		return err_set(err, ERR_USAGE,
			       "--gpu: \"%.100s\" is no PCI address as 0000:01:00.0", text);
	snprintf(out, GPU_ADDRESS_BYTES, "%s%s", is_short ? "0000:" : "", text);
	for (; *out; out++)
		*out = (char)tolower((unsigned char)*out);
	return true;
}

bool gpu_address_check(const char *devices, const char *address, struct err *err)
{
	char link[512], target[PATH_MAX];
	const char *driver = "no driver";

	snprintf(link, sizeof(link), "%s/%s", devices, address);
	if (access(link, F_OK) < 0)
		return err_set(err, ERR_NOT_FOUND, "--gpu: no PCI device %s on this host", address);
	snprintf(link, sizeof(link), "%s/%s/driver", devices, address);
	ssize_t len = readlink(link, target, sizeof(target) - 1);

	if (len > 0) {
		target[len] = '\0';
		driver = strrchr(target, '/') ? strrchr(target, '/') + 1 : target;
	}
	return strcmp(driver, "vfio-pci") == 0 ||
	       err_set(err, ERR_UNSUPPORTED,
		       "--gpu: %s has %s, and has to be bound to vfio-pci to be handed over",
		       address, driver);
}
