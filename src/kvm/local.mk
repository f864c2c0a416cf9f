noinst_LIBRARIES += libkvm.a
libkvm_a_SOURCES = \
	src/kvm/cpuid.c \
	src/kvm/cpuid.h \
	src/kvm/gmem.c \
	src/kvm/gmem.h \
	src/kvm/host.c \
	src/kvm/host.h \
	src/kvm/synic.c \
	src/kvm/synic.h \
	src/kvm/vcpu.c \
	src/kvm/vcpu.h \
	src/kvm/vcpu_state.c \
	src/kvm/vcpu_state.h \
	src/kvm/vm.c \
	src/kvm/vm.h
