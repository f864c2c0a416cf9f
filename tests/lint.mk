# `make lint`: format, guest-pointer rule, include direction, cppcheck, clang-tidy. Each part names what is wrong and where.
EXTRA_DIST += tests/lint/format tests/lint/guest-pointers tests/lint/includes tests/lint/texts

LINT_FLAGS = -std=gnu11 -D_GNU_SOURCE -I$(top_srcdir) -I$(top_builddir) $(GLIB_CFLAGS) $(JSON_CFLAGS) $(URING_CFLAGS) $(SECCOMP_CFLAGS)

.PHONY: lint lint-quick lint-cppcheck lint-tidy
lint: lint-quick lint-cppcheck lint-tidy

lint-quick:
	cd $(top_srcdir) && CLANG_FORMAT=$(CLANG_FORMAT) tests/lint/format
	cd $(top_srcdir) && tests/lint/guest-pointers
	cd $(top_srcdir) && tests/lint/includes
	cd $(top_srcdir) && tests/lint/texts

# unusedStructMember: wire structures name fields that nobody reads yet. constParameterCallback and constParameterPointer: signatures of class tables.
lint-cppcheck:
	cd $(top_srcdir) && $(CPPCHECK) --quiet --std=c11 --library=gtk --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
		-j2 --suppress=missingIncludeSystem --suppress=unusedStructMember -D__x86_64__ -D__cppcheck__ -D_GNU_SOURCE -I. src vmbus

lint-tidy:
	cd $(top_srcdir) && git ls-files 'src/*.c' 'vmbus/*.c' | xargs -P2 -n4 sh -c '$(CLANG_TIDY) --quiet "$$@" -- $(LINT_FLAGS) 2>/dev/null' sh
