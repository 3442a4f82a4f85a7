/* From a kernel file to the kernel: find and decompress what a boot image carries. Pure. */
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/view.h"

/* file:   a whole kernel file; borrowed
 * out:    replaced by the kernel: an ELF vmlinux or an arm64 Image
 * Errors: ERR_FORMAT, ERR_UNSUPPORTED  as kernel_open
 * Source: Documentation/arch/x86/boot.rst, arch/arm64/booting.rst,
 *         drivers/firmware/efi/libstub/zboot-header.S */
MUST_CHECK bool kernel_image_unpack(struct bytes *out, struct view file, struct err *err);

/* EM_X86_64 or EM_AARCH64; 0 for what is neither ELF nor an arm64 Image. */
uint16_t kernel_image_machine(struct view image);
