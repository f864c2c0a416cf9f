dist_man_MANS += \
	man/vmbusctl.8 \
	man/vmbusd.8 \
	man/vmbusd-control.7 \
	man/vmbusd-migrate.7 \
	man/vmbusd-network.5 \
	man/vmbusd-worker.8 \
	man/vmbusd-worker.json.5
