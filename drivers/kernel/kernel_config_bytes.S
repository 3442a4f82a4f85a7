/* docs/kernel-gpu.config as a constant: what is documented is what is checked. */
	.section .rodata
	.globl kernel_config_start
	.globl kernel_config_end
kernel_config_start:
	.incbin "docs/kernel-gpu.config"
kernel_config_end:
	.section .note.GNU-stack, "", %progbits
