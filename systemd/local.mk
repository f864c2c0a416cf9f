# Units, and the user of vmbusd's unprivileged process. Only make knows sbindir.
UNITS = systemd/vmbusd.service systemd/vmbusd-adapters.service
EXTRA_DIST += $(UNITS:=.in) systemd/vmbusd-sysusers.conf
CLEANFILES += $(UNITS) systemd/vmbusd.conf

systemdsystemunit_DATA = $(UNITS)
sysusers_DATA = systemd/vmbusd.conf

systemd/%.service: $(top_srcdir)/systemd/%.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && sed 's,@sbindir[@],$(sbindir),' $< >$@

systemd/vmbusd.conf: $(top_srcdir)/systemd/vmbusd-sysusers.conf
	$(AM_V_GEN)$(MKDIR_P) systemd && cp $< $@
