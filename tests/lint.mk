# `make lint`: format, guest-pointer rule, include direction, cppcheck, clang-tidy. Each part names what is wrong and where.
EXTRA_DIST += tests/lint .clang-format .clang-tidy

# Each recipe runs in the top folder, so -I. is what -I$(top_srcdir) is to the build. What libraries' macros expand to is theirs.
LINT_FLAGS = -std=gnu11 -D_GNU_SOURCE -I. $(DEFS) \
	$(patsubst -I%,-isystem%,$(GLIB_CFLAGS) $(JSON_CFLAGS) $(URING_CFLAGS) $(SECCOMP_CFLAGS) $(NL_CFLAGS) $(XML_CFLAGS) $(PNG_CFLAGS))

.PHONY: lint lint-git lint-quick lint-cppcheck lint-tidy
lint: lint-quick lint-cppcheck lint-tidy

# The parts ask git which files there are: where git knows none, all would be found clean.
lint-quick lint-tidy: lint-git
lint-git:
	@cd $(top_srcdir) && git ls-files --error-unmatch HACKING.md >/dev/null

lint-quick:
	cd $(top_srcdir) && CLANG_FORMAT=$(CLANG_FORMAT) tests/lint/format
	cd $(top_srcdir) && tests/lint/guest-pointers
	cd $(top_srcdir) && tests/lint/includes
	cd $(top_srcdir) && tests/lint/texts

# unusedStructMember: wire structures name fields that nobody reads yet. G_DEFINE_QUARK: cppcheck does not look into system headers.
# varFuncNullUB: NULL is a pointer in every C library that vmbusd is built with.
lint-cppcheck:
	cd $(top_srcdir) && $(CPPCHECK) --quiet --std=c11 --library=gtk --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
		-j2 --suppress=missingIncludeSystem --suppress=unusedStructMember --suppress=varFuncNullUB -D__x86_64__ -D__cppcheck__ -D_GNU_SOURCE \
		'-DG_DEFINE_QUARK(a,b)=' -I. src vmbus vswitch

lint-tidy:
	cd $(top_srcdir) && CLANG_TIDY=$(CLANG_TIDY) tests/lint/tidy $(LINT_FLAGS)
