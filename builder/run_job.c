#include "run_job.h"

#include <elf.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/json.h"
#include "builder/run/image_check.h"
#include "builder/run/run_settings.h"
#include "builder/run/vmm_choice.h"
#include "guest_kernel.h"
#include "init/contract/settings_keys.h"

enum {
	MEMORY_MIB_DEFAULT = 512,
	PATH_BYTES = 64 << 10,
};

struct run_job *run_job_new(void)
{
	struct run_job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->words = WORDS_NONE;
	job->folder = RUN_FOLDER_NONE;
	job->settings = json_new_object();
	job->image = job->kernel = job->initrd = job->settings_path = job->report = job->api =
		job->config = bytes_capped(PATH_BYTES);
	return job;
}

void run_job_freep(struct run_job **job)
{
	struct run_job *old = *job;

	if (!old)
		return;
	run_folder_freep(&old->folder);
	words_freep(&old->words);
	json_freep(&old->settings);
	bytes_freep(&old->image);
	bytes_freep(&old->kernel);
	bytes_freep(&old->initrd);
	bytes_freep(&old->settings_path);
	bytes_freep(&old->report);
	bytes_freep(&old->api);
	bytes_freep(&old->config);
	freep(job);
}

/* One program, or a list of words in JSON, which starts with a bracket and as a path would not. */
MUST_CHECK static bool put_entrypoint(struct json_t *settings, const char *text, struct err *err)
{
	static const char option[] = "--entrypoint";

	if (!text)
		return true;
	if (text[0] != '[')
		return run_settings_put_list(settings, SETTING_ENTRYPOINT, &text, 1, option, err);
	if (settings_put(settings, view_of(SETTING_ENTRYPOINT), view_of(text), err))
		return true;
	err->kind = ERR_USAGE;
	return err_wrap(err, "%s", option);
}

/* The words behind the image are the entrypoint's arguments, in the place of the image's own. */
MUST_CHECK static bool make_settings(struct run_job *job, const struct options *options,
				     struct err *err)
{
	const struct machine_options *given = &options->machine;
	const struct option_list *words = &options->operands;
	struct json_t *settings = job->settings;

	if (!put_entrypoint(settings, given->entrypoint, err) ||
	    (words->count > 1 &&
	     !run_settings_put_list(settings, SETTING_CMD, words->items + 1, words->count - 1,
				    "ARG", err)) ||
	    !run_settings_put_text(settings, SETTING_USER, given->user, "--user", err) ||
	    !run_settings_put_text(settings, SETTING_WORKDIR, given->working_dir, "--workdir",
				   err) ||
	    !run_settings_put_text(settings, SETTING_HOSTNAME, given->hostname, "--hostname", err))
		return false;
	if (given->has_terminal)
		json_put_bool(settings, SETTING_TERMINAL, true);
	for (size_t i = 0; i < given->env.count; i++)
		if (!run_settings_put_env(settings, given->env.items[i], err))
			return false;
	for (size_t i = 0; i < given->sets.count; i++)
		if (!run_settings_set(settings, given->sets.items[i], err))
			return false;
	return run_settings_check(settings, &job->grace_seconds, err);
}

MUST_CHECK static bool make_sizes(struct machine *machine, const struct machine_options *given,
				  struct err *err)
{
	enum { MIB = 1 << 20 };

	if (given->memory_bytes % MIB != 0)
		return err_set(err, ERR_USAGE, "--memory: %llu bytes are no whole number of MiB",
			       (unsigned long long)given->memory_bytes);
	machine->memory_mib = given->memory_bytes > 0 ? given->memory_bytes / MIB :
							MEMORY_MIB_DEFAULT;
	machine->cpu_count = given->cpu_count > 0 ? (unsigned)given->cpu_count : 1;
	return true;
}

MUST_CHECK static bool make_gpus(struct run_job *job, const struct machine_options *given,
				 struct err *err)
{
	for (size_t i = 0; i < given->gpus.count; i++) {
		if (!gpu_address_parse(job->gpus[i], given->gpus.items[i], err) ||
		    (!given->only_prints &&
		     !gpu_address_check("/sys/bus/pci/devices", job->gpus[i], err)))
			return false;
		job->gpu_list[i] = job->gpus[i];
	}
	job->machine.gpus = job->gpu_list;
	job->machine.gpu_count = given->gpus.count;
	return true;
}

MUST_CHECK static bool make_paths(struct run_job *job, const struct options *options,
				  struct err *err)
{
	const struct machine_options *given = &options->machine;
	CLEANUP(fd_closep) int fd = -1;

	if (given->initrd && !file_open(&fd, AT_FDCWD, given->initrd, O_RDONLY, err))
		return false;
	if (!run_absolute(&job->image, options->operands.items[0], err) ||
	    !run_absolute(&job->kernel, options->driver.kernel, err) ||
	    (given->initrd && !run_absolute(&job->initrd, given->initrd, err)))
		return false;
	job->machine.image = job->image.data;
	job->machine.kernel = job->kernel.data;
	job->machine.initrd = job->initrd.data;
	job->machine.append = given->append;
	job->machine.has_terminal = given->has_terminal;
	return true;
}

/* Firecracker alone asks for it. */
MUST_CHECK static bool is_elf_file(bool *out, const char *path, struct err *err)
{
	CLEANUP(fd_closep) int fd = -1;
	char start[SELFMAG];
	size_t len = 0;

	if (!file_open(&fd, AT_FDCWD, path, O_RDONLY, err) ||
	    !file_read_some(fd, start, sizeof(start), &len, path, err))
		return false;
	*out = len == sizeof(start) && memcmp(start, ELFMAG, SELFMAG) == 0;
	return true;
}

MUST_CHECK static bool check_image(struct run_job *job, struct run_image *image,
				   const struct options *options, struct report *report,
				   struct err *err)
{
	CLEANUP(kernel_freep) struct kernel kernel = KERNEL_NONE;

	if (!run_image_read(image, options->operands.items[0], err) ||
	    !guest_kernel_open_named(&kernel, options, report, err) ||
	    !run_image_fits(image, &kernel, options->machine.initrd != NULL, err))
		return false;
	job->machine.cpu = kernel.machine;
	return true;
}

/* An image that is nobody's to write is one of the store's, and others are made of it. */
MUST_CHECK static bool check_writable(const struct run_image *image, const char *path,
				      struct err *err)
{
	struct stat found;

	if (image->is_read_only)
		return err_set(err, ERR_UNSUPPORTED,
			       "--write: %s was made with --read-only-fs", path);
	if (stat(path, &found) < 0)
		return err_os_path(err, "stat %s", path);
	return (found.st_mode & 0222) != 0 ||
	       err_set(err, ERR_UNSUPPORTED, "--write: %s is read-only; make a copy to be written",
		       path);
}

MUST_CHECK static bool choose_vmm(struct run_job *job, const struct options *options,
				  struct report *report, struct err *err)
{
	const struct machine_options *given = &options->machine;
	struct vmm_wish wish = { .vmm = given->vmm,
				 .accel = given->accel,
				 .cpu = job->machine.cpu,
				 .cpu_count = job->machine.cpu_count,
				 .gpu_count = job->machine.gpu_count,
				 .only_prints = given->only_prints };
	struct vmm_choice choice;
	struct vmm_host host;

	vmm_host_look(&host, wish.cpu);
	if (!is_elf_file(&wish.is_elf, options->driver.kernel, err) ||
	    !vmm_choose(&choice, &wish, &host, err))
		return false;
	if (choice.note[0])
		report_note(report, "%s", choice.note);
	job->machine.vmm = choice.vmm;
	job->machine.has_kvm = choice.has_kvm;
	return true;
}

bool run_job_make(struct run_job *job, const struct options *options, struct report *report,
		  struct err *err)
{
	const struct machine_options *given = &options->machine;
	struct run_image image = { 0 };

	if (!options->driver.kernel)
		return err_set(err, ERR_USAGE, "run needs --kernel FILE (see vmbake run --help)");
	if (!make_sizes(&job->machine, given, err) || !make_settings(job, options, err) ||
	    !make_gpus(job, given, err) || !check_image(job, &image, options, report, err) ||
	    (given->writes && !check_writable(&image, options->operands.items[0], err)) ||
	    !choose_vmm(job, options, report, err) || !make_paths(job, options, err))
		return false;
	job->machine.root = given->writes ? ROOT_WRITTEN :
			    image.is_read_only || job->machine.vmm != VMM_QEMU ? ROOT_OVERLAY :
										 ROOT_SNAPSHOT;
	return true;
}

static bool has_members(const struct json_t *object)
{
	const struct json_t *value;
	void *position = NULL;
	const char *name;

	return json_next_member(object, &position, &name, &value);
}

MUST_CHECK static bool name_file(struct bytes *path, const char **out,
				 const struct run_folder *folder, const char *name,
				 struct err *err)
{
	if (!run_folder_path(path, folder, name, err))
		return false;
	*out = path->data;
	return true;
}

MUST_CHECK static bool name_files(struct run_job *job, struct err *err)
{
	struct machine *machine = &job->machine;
	bool is_qemu = machine->vmm == VMM_QEMU;

	return name_file(&job->report, &machine->report_socket, &job->folder,
			 is_qemu ? "report.sock" : "vsock.sock", err) &&
	       (is_qemu ||
		name_file(&job->api, &machine->api_socket, &job->folder, "api.sock", err)) &&
	       name_file(&job->config, &machine->config, &job->folder, "firecracker.json", err);
}

/* Left by a run before it, in a folder that stays; a VMM would not take their place. */
static void remove_old_sockets(const struct machine *machine)
{
	unlink(machine->report_socket);
	if (machine->api_socket)
		unlink(machine->api_socket);
}

/* Without a folder there are no sockets, so no report, and no drive. */
MUST_CHECK static bool place_nowhere(struct run_job *job, bool has_settings, struct err *err)
{
	if (has_settings)
		return err_set(err, ERR_USAGE, "--print needs --folder DIR here, as the settings "
			       "drive has to be somewhere");
	return job->machine.vmm == VMM_FIRECRACKER ||
	       vmm_words(&job->words, &job->machine, err);
}

MUST_CHECK static bool write_config(const struct machine *machine, struct err *err)
{
	CLEANUP(json_freep) struct json_t *config = NULL;

	return vmm_firecracker_config(&config, machine, err) &&
	       run_folder_write_json(machine->config, config, err);
}

bool run_job_place(struct run_job *job, const struct options *options, struct err *err)
{
	const struct machine_options *given = &options->machine;
	struct machine *machine = &job->machine;
	bool has_settings = has_members(job->settings);

	if (given->only_prints && !given->folder)
		return place_nowhere(job, has_settings, err);
	if (!run_folder_open(&job->folder, given->folder, err) || !name_files(job, err))
		return false;
	if (has_settings &&
	    (!name_file(&job->settings_path, &machine->settings, &job->folder, "settings.img",
			err) ||
	     !run_folder_write_settings(machine->settings, job->settings, err)))
		return false;
	if (!given->only_prints)
		remove_old_sockets(machine);
	return (machine->vmm != VMM_FIRECRACKER || write_config(machine, err)) &&
	       vmm_words(&job->words, machine, err);
}
