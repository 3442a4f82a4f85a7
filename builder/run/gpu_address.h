/* A PCI device of the host that is to be handed over to a guest. */
#pragma once

#include "base/err.h"

enum { GPU_ADDRESS_BYTES = 13 }; /* "0000:01:00.0" */

/* "0000:01:00.0" or "01:00.0", in lower case after that. Pure. Errors: ERR_USAGE */
MUST_CHECK bool gpu_address_parse(char out[GPU_ADDRESS_BYTES], const char *text, struct err *err);

/* devices: the folder /sys/bus/pci/devices
 * Errors: ERR_NOT_FOUND    no such device
 *         ERR_UNSUPPORTED  it is not bound to vfio-pci; who has it */
MUST_CHECK bool gpu_address_check(const char *devices, const char *address, struct err *err);
