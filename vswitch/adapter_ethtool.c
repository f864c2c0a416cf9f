/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ethtool's ioctls (linux/ethtool.h): speed, and features by name. They work on every kernel that
 * we run on; ethtool's netlink family is younger.
 */
#include "vswitch/adapter_netlink.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define FEATURES_MAX 256u /* the kernel has 64 and a few */

static int ethtool(const char *name, void *command)
{
    struct ifreq request = {.ifr_data = command};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int result;

    if (fd < 0)
        return -errno;
    g_strlcpy(request.ifr_name, name, sizeof(request.ifr_name));
    result = ioctl(fd, SIOCETHTOOL, &request) < 0 ? -errno : 0;
    close(fd);
    return result;
}

uint32_t adapter_ethtool_speed(const char *name)
{
    struct {
        struct ethtool_link_settings settings;
        uint32_t masks[3 * 127];
    } get = {.settings.cmd = ETHTOOL_GLINKSETTINGS};

    /* The first call tells how many words a mask has, as a negative number. */
    if (ethtool(name, &get) < 0 || get.settings.link_mode_masks_nwords >= 0)
        return 0;
    get.settings.link_mode_masks_nwords = (int8_t)-get.settings.link_mode_masks_nwords;
    get.settings.cmd = ETHTOOL_GLINKSETTINGS;
    if (ethtool(name, &get) < 0 || get.settings.speed == (uint32_t)SPEED_UNKNOWN)
        return 0;
    return get.settings.speed;
}

/* How many features the kernel has; 0 or less: not to be had. */
static int feature_count(const char *name)
{
    struct {
        struct ethtool_sset_info info;
        uint32_t count;
    } get = {.info = {.cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1ull << ETH_SS_FEATURES}};
    int result = ethtool(name, &get);

    if (result < 0 || !get.info.sset_mask)
        return result;
    return (int)MIN(get.count, FEATURES_MAX);
}

/* Number of the feature called `feature` and how many there are; -errno. */
static int feature_find(const char *name, const char *feature, unsigned *ret_count)
{
    int count = feature_count(name);

    if (count <= 0)
        return count < 0 ? count : -ENOENT;
    size_t size = sizeof(struct ethtool_gstrings) + (size_t)count * ETH_GSTRING_LEN;
    g_autofree struct ethtool_gstrings *names = g_malloc0(size);
    names->cmd = ETHTOOL_GSTRINGS;
    names->string_set = ETH_SS_FEATURES;
    names->len = (uint32_t)count;
    int result = ethtool(name, names);
    if (result < 0)
        return result;
    *ret_count = (unsigned)count;
    for (int i = 0; i < count; i++)
        if (strncmp((const char *)names->data + (size_t)i * ETH_GSTRING_LEN, feature,
                    ETH_GSTRING_LEN) == 0)
            return i;
    return -ENOENT;
}

int adapter_ethtool_feature(const char *name, const char *feature)
{
    unsigned count;
    int bit = feature_find(name, feature, &count);

    if (bit < 0)
        return bit;
    unsigned blocks = (count + 31) / 32;
    g_autofree struct ethtool_gfeatures *get =
        g_malloc0(sizeof(*get) + blocks * sizeof(get->features[0]));
    get->cmd = ETHTOOL_GFEATURES;
    get->size = blocks;
    int result = ethtool(name, get);
    if (result < 0)
        return result;
    const struct ethtool_get_features_block *block = &get->features[bit / 32];
    uint32_t mask = 1u << (bit % 32);
    if (!(block->available & mask) || (block->never_changed & mask))
        return -EPERM;
    return (block->active & mask) != 0;
}

int adapter_ethtool_set_feature(const char *name, const char *feature, bool on)
{
    unsigned count;
    int bit = feature_find(name, feature, &count);

    if (bit < 0)
        return bit;
    unsigned blocks = (count + 31) / 32;
    g_autofree struct ethtool_sfeatures *set =
        g_malloc0(sizeof(*set) + blocks * sizeof(set->features[0]));
    set->cmd = ETHTOOL_SFEATURES;
    set->size = blocks;
    set->features[bit / 32].valid = 1u << (bit % 32);
    set->features[bit / 32].requested = on ? 1u << (bit % 32) : 0;
    int result = ethtool(name, set);
    return result < 0 ? result : 0;
}
