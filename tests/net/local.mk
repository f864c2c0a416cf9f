# What the live tests of tests/net use: a guest of a network without a virtual machine.
check_PROGRAMS += tests/net/net-guest
tests_net_net_guest_SOURCES = tests/net/guest.c
tests_net_net_guest_LDADD = libvswitch.a libcommon.a $(GLIB_LIBS) $(JSON_LIBS) $(NL_LIBS)
