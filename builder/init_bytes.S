/* The guest's init, one per architecture, as bytes inside vmbake; see init_binary.h. */
	.section .rodata
	.balign 16
	.globl init_binary_x86_64
	.globl init_binary_x86_64_end
init_binary_x86_64:
	.incbin INIT_x86_64
init_binary_x86_64_end:

	.balign 16
	.globl init_binary_aarch64
	.globl init_binary_aarch64_end
init_binary_aarch64:
	.incbin INIT_aarch64
init_binary_aarch64_end:

	.section .note.GNU-stack, "", %progbits
