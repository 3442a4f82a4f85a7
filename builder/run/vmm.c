#include "vmm.h"

#include <elf.h>
#include <string.h>

#include "base/json.h"
#include "init/contract/settings_disk.h"
#include "init/contract/settings_keys.h"

const char *vmm_name(enum vmm vmm)
{
	static const char *const names[VMM_COUNT] = {
		[VMM_QEMU] = "qemu",
		[VMM_CLOUD_HYPERVISOR] = "cloud-hypervisor",
		[VMM_FIRECRACKER] = "firecracker",
	};

	return names[vmm];
}

const char *vmm_program(enum vmm vmm, uint16_t cpu)
{
	if (vmm != VMM_QEMU)
		return vmm_name(vmm);
	return cpu == EM_AARCH64 ? "qemu-system-aarch64" : "qemu-system-x86_64";
}

/* Without panic= a kernel that panics stands still for ever. Cloud Hypervisor would start it again,
 * whatever way it takes to reboot, so there it has to stand still. Emulated on a busy host, a
 * kernel may find its timer broken. */
static const char *ways_to_end(const struct machine *machine)
{
	if (machine->vmm == VMM_FIRECRACKER)
		return " reboot=k panic=-1";
	if (machine->vmm == VMM_CLOUD_HYPERVISOR)
		return "";
	return machine->has_kvm ? " panic=-1" : " panic=-1 no_timer_check";
}

static const char *report_setting(const struct machine *machine)
{
	if (!machine->report_socket)
		return "";
	return machine->vmm == VMM_QEMU ? " " SETTINGS_PREFIX SETTING_REPORT_PORT "=" :
					  " " SETTINGS_PREFIX SETTING_REPORT_VSOCK_PORT "=";
}

bool vmm_kernel_arguments(struct bytes *out, const struct machine *machine, struct err *err)
{
	bool has_pl011 = machine->cpu == EM_AARCH64 && machine->vmm != VMM_FIRECRACKER;
	size_t start = out->len;

	if (!bytes_print(out, err, "console=%s root=/dev/vda %s%s quiet%s",
			 has_pl011 ? "ttyAMA0" : "ttyS0",
			 machine->root == ROOT_OVERLAY ? "ro" : "rw",
			 machine->initrd ? "" : " init=/.vmbake/init", ways_to_end(machine)) ||
	    !bytes_print(out, err, "%s",
			 machine->root == ROOT_OVERLAY ?
				 " " SETTINGS_PREFIX SETTING_OVERLAY "=tmpfs" : "") ||
	    !bytes_print(out, err, "%s", report_setting(machine)))
		return false;
	if (machine->report_socket &&
	    (machine->vmm == VMM_QEMU ? !bytes_print(out, err, "%s", REPORT_PORT_NAME) :
					!bytes_print(out, err, "%d", REPORT_VSOCK_PORT)))
		return false;
	if (machine->append && !bytes_print(out, err, " %s", machine->append))
		return false;
	if (out->len - start > KERNEL_ARGUMENTS_MAX)
		return err_set(err, ERR_UNSUPPORTED,
			       "a kernel command line of %zu bytes, a kernel takes %d",
			       out->len - start, KERNEL_ARGUMENTS_MAX);
	return true;
}

/* QEMU takes a comma for the next member, and two for one comma. */
MUST_CHECK static bool for_qemu(struct bytes *out, const char *path, struct err *err)
{
	for (; *path; path++)
		if (!bytes_append(out, path, 1, err) ||
		    (*path == ',' && !bytes_append(out, ",", 1, err)))
			return false;
	return bytes_append(out, "", 0, err);
}

MUST_CHECK static bool add_qemu_machine(struct words *out, const struct machine *machine,
					struct err *err)
{
	const char *console = machine->has_terminal ? "stdio,id=console,signal=off" :
						      "stdio,id=console";
	const char *const fixed[] = {
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-chardev", console, "-serial", "chardev:console", NULL,
	};
	/* A GPU's memory lies beyond what a processor of fewer address bits reaches. */
	const char *cpu = !machine->has_kvm	  ? "max" :
			  machine->gpu_count > 0 ? "host,host-phys-bits=on" :
						   "host";

	return words_add(out, err, "%s", vmm_program(VMM_QEMU, machine->cpu)) &&
	       words_add_all(out,
			     (const char *const[]){ "-M",
						    machine->cpu == EM_AARCH64 ? "virt" : "q35",
						    "-accel", machine->has_kvm ? "kvm" : "tcg",
						    "-cpu", cpu, NULL },
			     err) &&
	       words_add(out, err, "-smp") && words_add(out, err, "%u", machine->cpu_count) &&
	       words_add(out, err, "-m") &&
	       words_add(out, err, "%lluM", (unsigned long long)machine->memory_mib) &&
	       words_add_all(out, fixed, err);
}

/* The root is the first virtio disk, in the order of the devices. */
MUST_CHECK static bool add_qemu_drive(struct words *out, const char *id, const char *path,
				      const char *mode, const char *serial, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes file = bytes_capped(64 << 10);

	return for_qemu(&file, path, err) && words_add(out, err, "-drive") &&
	       words_add(out, err, "file=%s,format=raw,if=none,id=%s%s", file.data, id, mode) &&
	       words_add(out, err, "-device") &&
	       words_add(out, err, "virtio-blk-pci,drive=%s%s", id, serial);
}

MUST_CHECK static bool add_qemu_report(struct words *out, const struct machine *machine,
				       struct err *err)
{
	CLEANUP(bytes_freep) struct bytes path = bytes_capped(64 << 10);

	return !machine->report_socket ||
	       (for_qemu(&path, machine->report_socket, err) &&
		words_add_all(out, (const char *const[]){ "-device", "virtio-serial-pci",
							  "-chardev", NULL }, err) &&
		words_add(out, err, "socket,id=report,path=%s,server=on,wait=off", path.data) &&
		words_add(out, err, "-device") &&
		words_add(out, err, "virtserialport,chardev=report,name=" REPORT_PORT_NAME));
}

/* CUDA wants a GPU behind a root port, where it stands on real machines. */
MUST_CHECK static bool add_qemu_gpus(struct words *out, const struct machine *machine,
				     struct err *err)
{
	for (size_t i = 0; i < machine->gpu_count; i++)
		if (!words_add(out, err, "-device") ||
		    !words_add(out, err, "pcie-root-port,id=gpu%zu,chassis=%zu", i, i + 1) ||
		    !words_add(out, err, "-device") ||
		    !words_add(out, err, "vfio-pci,host=%s,bus=gpu%zu", machine->gpus[i], i))
			return false;
	return true;
}

MUST_CHECK static bool add_qemu(struct words *out, const struct machine *machine,
				const char *kernel_arguments, struct err *err)
{
	const char *mode = machine->root == ROOT_SNAPSHOT ? ",snapshot=on" :
			   machine->root == ROOT_OVERLAY  ? ",readonly=on" :
							    "";

	if (!add_qemu_machine(out, machine, err) ||
	    !add_qemu_drive(out, "root", machine->image, mode, "", err) ||
	    (machine->settings &&
	     !add_qemu_drive(out, "settings", machine->settings, ",readonly=on",
			     ",serial=" SETTINGS_DISK_SERIAL, err)) ||
	    !add_qemu_report(out, machine, err) || !add_qemu_gpus(out, machine, err) ||
	    !words_add(out, err, "-kernel") || !words_add(out, err, "%s", machine->kernel))
		return false;
	return (!machine->initrd || (words_add(out, err, "-initrd") &&
				     words_add(out, err, "%s", machine->initrd))) &&
	       words_add(out, err, "-append") && words_add(out, err, "%s", kernel_arguments);
}

/* Cloud Hypervisor takes what is in double quotes as one value, and two of them in there for one.
 * Source: its option_parser/src/lib.rs */
MUST_CHECK static bool for_cloud_hypervisor(struct bytes *out, const char *path, struct err *err)
{
	if (!strpbrk(path, ",\"[]"))
		return bytes_print(out, err, "%s", path);
	if (!bytes_append(out, "\"", 1, err))
		return false;
	for (; *path; path++)
		if (!bytes_append(out, path, 1, err) ||
		    (*path == '"' && !bytes_append(out, "\"", 1, err)))
			return false;
	return bytes_append(out, "\"", 1, err);
}

MUST_CHECK static bool add_cloud_hypervisor_drives(struct words *out,
						   const struct machine *machine, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes image = bytes_capped(64 << 10);
	CLEANUP(bytes_freep) struct bytes settings = bytes_capped(64 << 10);

	if (!for_cloud_hypervisor(&image, machine->image, err) || !words_add(out, err, "--disk") ||
	    !words_add(out, err, "path=%s%s", image.data,
		       machine->root == ROOT_WRITTEN ? "" : ",readonly=on"))
		return false;
	return !machine->settings ||
	       (for_cloud_hypervisor(&settings, machine->settings, err) &&
		words_add(out, err, "path=%s,readonly=on,serial=%s", settings.data,
			  SETTINGS_DISK_SERIAL));
}

MUST_CHECK static bool add_cloud_hypervisor_sockets(struct words *out,
						    const struct machine *machine, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes vsock = bytes_capped(64 << 10);
	CLEANUP(bytes_freep) struct bytes api = bytes_capped(64 << 10);

	if (machine->report_socket &&
	    (!for_cloud_hypervisor(&vsock, machine->report_socket, err) ||
	     !words_add(out, err, "--vsock") ||
	     !words_add(out, err, "cid=%d,socket=%s", GUEST_VSOCK_CID, vsock.data)))
		return false;
	return !machine->api_socket || (for_cloud_hypervisor(&api, machine->api_socket, err) &&
					words_add(out, err, "--api-socket") &&
					words_add(out, err, "path=%s", api.data));
}

MUST_CHECK static bool add_cloud_hypervisor(struct words *out, const struct machine *machine,
					    const char *kernel_arguments, struct err *err)
{
	if (!words_add_all(out, (const char *const[]){ vmm_program(machine->vmm, machine->cpu),
						       "--kernel", machine->kernel, NULL }, err) ||
	    (machine->initrd &&
	     !words_add_all(out, (const char *const[]){ "--initramfs", machine->initrd, NULL },
			    err)) ||
	    !words_add_all(out, (const char *const[]){ "--cmdline", kernel_arguments, "--cpus",
						       NULL }, err) ||
	    !words_add(out, err, "boot=%u", machine->cpu_count) ||
	    !words_add(out, err, "--memory") ||
	    !words_add(out, err, "size=%lluM", (unsigned long long)machine->memory_mib) ||
	    !add_cloud_hypervisor_drives(out, machine, err) ||
	    !words_add_all(out, (const char *const[]){ "--serial", "tty", "--console", "off",
						       NULL }, err) ||
	    !add_cloud_hypervisor_sockets(out, machine, err))
		return false;
	if (machine->gpu_count > 0 && !words_add(out, err, "--device"))
		return false;
	for (size_t i = 0; i < machine->gpu_count; i++)
		if (!words_add(out, err, "path=/sys/bus/pci/devices/%s/", machine->gpus[i]))
			return false;
	return true;
}

/* Its log would stand on the console; what is an error may. */
MUST_CHECK static bool add_firecracker(struct words *out, const struct machine *machine,
				       struct err *err)
{
	return words_add_all(out,
			     (const char *const[]){ vmm_program(machine->vmm, machine->cpu),
						    "--config-file", machine->config, "--level",
						    "Error", NULL },
			     err) &&
	       words_add_all(out,
			     machine->api_socket ?
				     (const char *const[]){ "--api-sock", machine->api_socket,
							    NULL } :
				     (const char *const[]){ "--no-api", NULL },
			     err);
}

bool vmm_words(struct words *out, const struct machine *machine, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes arguments = bytes_capped(1 << 20);

	if (!vmm_kernel_arguments(&arguments, machine, err))
		return false;
	switch (machine->vmm) {
	case VMM_QEMU:
		return add_qemu(out, machine, arguments.data, err);
	case VMM_CLOUD_HYPERVISOR:
		return add_cloud_hypervisor(out, machine, arguments.data, err);
	case VMM_FIRECRACKER:
		return add_firecracker(out, machine, err);
	case VMM_COUNT:
		break;
	}
	return err_set(err, ERR_INTERNAL, "VMM %d has no command line", (int)machine->vmm);
}

/* What JSON cannot hold would reach Firecracker as another name. */
MUST_CHECK static bool put_text(struct json_t *object, const char *key, const char *text,
				struct err *err)
{
	struct json_t *json = json_new_text(view_of(text));
	const char *kept = json_text(json);
	bool is_same = kept && strcmp(kept, text) == 0;

	json_put(object, key, json);
	return is_same || err_set(err, ERR_UNSUPPORTED,
				  "Firecracker's configuration cannot hold %s: it is not UTF-8",
				  text);
}

/* No drive is told to be the root: Firecracker would put a root= of its own behind ours. */
MUST_CHECK static bool add_drive(struct json_t *drives, const char *id, const char *path,
				 bool is_read_only, struct err *err)
{
	struct json_t *drive = json_new_object();

	json_add(drives, drive);
	json_put_text(drive, "drive_id", id);
	if (!put_text(drive, "path_on_host", path, err))
		return false;
	json_put_bool(drive, "is_root_device", false);
	json_put_bool(drive, "is_read_only", is_read_only);
	return true;
}

MUST_CHECK static bool put_boot_source(struct json_t *config, const struct machine *machine,
				       struct err *err)
{
	CLEANUP(bytes_freep) struct bytes arguments = bytes_capped(1 << 20);
	struct json_t *boot = json_object_at(config, "boot-source");

	return vmm_kernel_arguments(&arguments, machine, err) &&
	       put_text(boot, "kernel_image_path", machine->kernel, err) &&
	       (!machine->initrd || put_text(boot, "initrd_path", machine->initrd, err)) &&
	       put_text(boot, "boot_args", arguments.data, err);
}

MUST_CHECK static bool put_drives(struct json_t *config, const struct machine *machine,
				  struct err *err)
{
	struct json_t *drives = json_new_array();

	json_put(config, "drives", drives);
	return add_drive(drives, "root", machine->image, machine->root != ROOT_WRITTEN, err) &&
	       (!machine->settings || add_drive(drives, "settings", machine->settings, true, err));
}

bool vmm_firecracker_config(struct json_t **out, const struct machine *machine, struct err *err)
{
	CLEANUP(json_freep) struct json_t *config = json_new_object();
	struct json_t *sizes, *vsock;

	if (!put_boot_source(config, machine, err) || !put_drives(config, machine, err))
		return false;
	sizes = json_object_at(config, "machine-config");
	json_put_size(sizes, "vcpu_count", machine->cpu_count);
	json_put_size(sizes, "mem_size_mib", machine->memory_mib);
	if (machine->report_socket) {
		vsock = json_object_at(config, "vsock");
		json_put_size(vsock, "guest_cid", GUEST_VSOCK_CID);
		if (!put_text(vsock, "uds_path", machine->report_socket, err))
			return false;
	}
	*out = ptr_take(&config);
	return true;
}
