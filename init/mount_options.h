/* Mount options as mount(8) takes them. The kernel wants some of them as flags, and a file system
 * that is told of such a one refuses to be mounted. Pure. */
#pragma once

/* Take those out of the text, which keeps what the file system reads itself.
 * text:   "noatime,commit=7", changed in place; it only becomes shorter
 * flags:  MS_*, set and cleared in the options' order
 * Source: mount(8), "Filesystem-independent mount options" */
void mount_options_take(char *text, unsigned long *flags);
