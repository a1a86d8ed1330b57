# SPDX-License-Identifier: GPL-2.0-only
# see make help

KERNELS := 6.1 6.12 7.3 debug
MODVARS := $(foreach v,CC W C CF V,$(if $(filter command% environment,$(origin $(v))),$(v)=$($(v))))

.PHONY: module
module:
ifdef KDIR
	@tests/vm/kernels module $(abspath $(KDIR)) kernel build $(MODVARS)
else
	@$(if $(filter $(KERNEL),$(KERNELS)),,$(error KERNEL=6.1, 6.12, 7.3 or debug, or KDIR=/path/to/headers))
	@tests/vm/kernels module $(KERNEL) kernel build/$(KERNEL) $(MODVARS)
endif
