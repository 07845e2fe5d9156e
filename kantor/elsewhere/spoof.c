/* Answers the instruction cpuid as another processor would, in all libraries of a program.

   The dynamic linker loads this first (LD_AUDIT; man 7 rtld-audit) and calls la_objopen for each
   library, when it is in memory and none of its code has run. There each cpuid becomes a ud2,
   which traps, and the handler of the trap gives the answer. Both are two bytes long.

   Three environment variables say what to do:
   KANTOR_CPUID_AS      the answers, as kantor.elsewhere.processors writes them
   KANTOR_CPUID_PLACES  a file with lines "address path", one for each cpuid of a library
   KANTOR_CPUID_COUNT   a file of two 64-bit numbers: how many were replaced, how many answered

   What is said of leaves and bits is from the manuals that kantor.elsewhere.processors names. */

#define _GNU_SOURCE
#include <cpuid.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

typedef struct { uint32_t a, b, c, d; } Registers;
typedef struct { uint32_t kib, ways; } Cache;

static const unsigned char CPUID[2] = {0x0f, 0xa2}, UD2[2] = {0x0f, 0x0b};
static int intel;
static uint32_t signature;
static Cache caches[3];
static struct { uint32_t leaf7_b, leaf7_c, leaf7_d, leaf7_1_a, leaf7_1_d; } cleared;
static volatile uint64_t *count;
static const char *places;

static void fail(const char *what) {
    fprintf(stderr, "spoof.c: %s\n", what);
    _exit(3);
}

static Registers text(const char *sixteen) {
    Registers r;
    memcpy(&r, sixteen, 16);
    return r;
}

/* Leaf 4 of Intel and 0x8000001d of AMD: a cache by number, data of level 1 first. */
static Registers cache(uint32_t number) {
    Registers r = {0, 0, 0, 0};
    const struct { Cache size; uint32_t type, level; } all[] = {
        {caches[0], 1, 1}, {{32, 8}, 2, 1}, {caches[1], 3, 2}, {caches[2], 3, 3}};
    if (number < 4) {
        Cache size = all[number].size;
        r.a = all[number].type | all[number].level << 5 | 1 << 8 | (number == 3) << 14;
        r.b = 63 | (size.ways - 1) << 22; /* lines of 64 bytes */
        r.c = size.kib * 1024 / 64 / size.ways - 1;
    }
    return r;
}

/* The older leaves of caches, for those who ask no newer one. */
static Registers level_1(void) {
    Registers r = {0, 0, 0, 0};
    if (!intel) {
        r.c = caches[0].kib << 24 | caches[0].ways << 16 | 1 << 8 | 64;
        r.d = 32u << 24 | 8 << 16 | 1 << 8 | 64;
    }
    return r;
}

static Registers levels_2_and_3(void) {
    Registers r = {0, 0, caches[1].kib << 16 | 6 << 12 | (intel ? 0 : 1 << 8) | 64, 0};
    if (!intel) r.d = caches[2].kib / 512 << 18 | 8 << 12 | 1 << 8 | 64;
    return r;
}

static Registers answer(uint32_t leaf, uint32_t sub) {
    const Registers nothing = {0, 0, 0, 0};
    Registers r;
    __cpuid_count(leaf, sub, r.a, r.b, r.c, r.d);
    if (leaf == 0) {
        const char *maker = intel ? "GenuineIntel" : "AuthenticAMD";
        r.a = intel ? 0x16 : 0x10;
        memcpy(&r.b, maker, 4), memcpy(&r.d, maker + 4, 4), memcpy(&r.c, maker + 8, 4);
    } else if (leaf == 1) {
        r.a = signature;
    } else if (leaf == 2) { /* 0xff: ask leaf 4 */
        r = nothing;
        if (intel) r.a = 0x00feff01, r.b = 0xf0;
    } else if (leaf == 4) {
        r = intel ? cache(sub) : nothing;
    } else if (leaf == 7 && sub == 0) {
        r.b &= ~cleared.leaf7_b, r.c &= ~cleared.leaf7_c, r.d &= ~cleared.leaf7_d;
    } else if (leaf == 7 && sub == 1) {
        r.a &= ~cleared.leaf7_1_a, r.d &= ~cleared.leaf7_1_d;
    } else if (leaf == 0x80000000) {
        r = nothing;
        r.a = intel ? 0x80000008 : 0x80000021;
    } else if (leaf == 0x80000001 && intel) { /* without what only AMD has */
        r.c &= 1 | 1 << 5 | 1 << 8;
        r.d &= ~(1u << 22 | 1u << 30 | 1u << 31);
    } else if (leaf >= 0x80000002 && leaf <= 0x80000004) {
        char name[48] = {0};
        strcpy(name, intel ? "Intel(R) Xeon(R), posed as" : "AMD EPYC, posed as");
        r = text(name + 16 * (leaf - 0x80000002));
    } else if (leaf == 0x80000005) {
        r = level_1();
    } else if (leaf == 0x80000006) {
        r = levels_2_and_3();
    } else if (leaf == 0x8000001d && !intel) {
        r = cache(sub);
    } else if (leaf > 0x80000008) {
        r = nothing;
    }
    return r;
}

static void trapped(int signal_number, siginfo_t *information, void *context) {
    (void)information;
    greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
    if (memcmp((void *)r[REG_RIP], UD2, 2)) { /* an instruction that is missing here */
        signal(signal_number, SIG_DFL);
        return;
    }
    Registers reply = answer(r[REG_RAX], r[REG_RCX]);
    r[REG_RAX] = reply.a, r[REG_RBX] = reply.b, r[REG_RCX] = reply.c, r[REG_RDX] = reply.d;
    r[REG_RIP] += 2;
    __atomic_add_fetch(&count[1], 1, __ATOMIC_RELAXED);
}

unsigned int la_version(unsigned int version) {
    char maker[16];
    const char *as = getenv("KANTOR_CPUID_AS"), *counts = getenv("KANTOR_CPUID_COUNT");
    places = getenv("KANTOR_CPUID_PLACES");
    if (!as || !counts || !places) fail("its environment variables are not set");
    int numbers = sscanf(as, "%15s %x %x %x %x %x %x %x %x %x %x %x %x", maker, &signature,
        &caches[0].kib, &caches[0].ways, &caches[1].kib, &caches[1].ways, &caches[2].kib,
        &caches[2].ways, &cleared.leaf7_b, &cleared.leaf7_c, &cleared.leaf7_d,
        &cleared.leaf7_1_a, &cleared.leaf7_1_d);
    if (numbers != 13) fail("KANTOR_CPUID_AS can't be read");
    intel = !strcmp(maker, "Intel");
    int file = open(counts, O_RDWR | O_CLOEXEC);
    count = mmap(0, 16, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (file < 0 || count == MAP_FAILED) fail("KANTOR_CPUID_COUNT can't be written");
    close(file);
    struct sigaction action = {0};
    action.sa_sigaction = trapped;
    action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
    sigaction(SIGILL, &action, 0);
    return version;
}

static void replace(unsigned char *place) {
    long page = sysconf(_SC_PAGESIZE);
    unsigned char *from = (unsigned char *)((uintptr_t)place / page * page);
    size_t length = place + 2 - from;
    if (memcmp(place, CPUID, 2)) fail("KANTOR_CPUID_PLACES names a place without a cpuid");
    if (mprotect(from, length, PROT_READ | PROT_WRITE | PROT_EXEC)) fail("memory is locked");
    memcpy(place, UD2, 2);
    mprotect(from, length, PROT_READ | PROT_EXEC);
    __atomic_add_fetch(&count[0], 1, __ATOMIC_RELAXED);
}

unsigned int la_objopen(struct link_map *library, Lmid_t list, uintptr_t *cookie) {
    (void)list, (void)cookie;
    char path[PATH_MAX], *line = 0, *rest;
    size_t room = 0;
    if (!*library->l_name || !realpath(library->l_name, path)) return 0;
    FILE *file = fopen(places, "re");
    if (!file) fail("KANTOR_CPUID_PLACES can't be read");
    while (getline(&line, &room, file) > 0) {
        unsigned long address = strtoul(line, &rest, 16);
        rest[strcspn(rest, "\n")] = 0;
        if (!strcmp(rest + 1, path)) replace((unsigned char *)library->l_addr + address);
    }
    free(line);
    fclose(file);
    return 0;
}
