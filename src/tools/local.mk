bin_PROGRAMS += vmbusctl
vmbusctl_SOURCES = \
	src/tools/check.c \
	src/tools/nic.c \
	src/tools/screenshot.c \
	src/tools/change_media.c \
	src/tools/send_key.c \
	src/tools/set_ip.c \
	src/tools/show.c \
	src/tools/switch.c \
	src/tools/vm_client.c \
	src/tools/vm_client.h \
	src/tools/vmbusctl.c \
	src/tools/vmbusctl.h
vmbusctl_LDADD = libkvm.a libcommon.a $(GLIB_LIBS) $(JSON_LIBS) $(PNG_LIBS)

# bash-completion finds it by the command's name.
EXTRA_DIST += src/tools/vmbusctl.bash-completion
install-data-local:
	$(MKDIR_P) $(DESTDIR)$(datadir)/bash-completion/completions
	$(INSTALL_DATA) $(srcdir)/src/tools/vmbusctl.bash-completion $(DESTDIR)$(datadir)/bash-completion/completions/vmbusctl
uninstall-local:
	rm -f $(DESTDIR)$(datadir)/bash-completion/completions/vmbusctl
