// CRC-32C with the instruction of the CPU where there is one, chosen once at start, and slice-by-8 tables elsewhere.
// A C target because Swift has neither the intrinsic nor inline assembly; see docs/decisions/0003-crc32c-in-c.md.
#include "CChecksum.h"
#include <string.h>

static uint32_t tables[8][256];

static void fill_tables(void) {
    for (uint32_t index = 0; index < 256; index++) {
        uint32_t value = index;
        for (int bit = 0; bit < 8; bit++) value = (value >> 1) ^ (0x82F63B78u & (0u - (value & 1u)));
        tables[0][index] = value;
    }
    for (uint32_t index = 0; index < 256; index++)
        for (int slice = 1; slice < 8; slice++)
            tables[slice][index] = (tables[slice - 1][index] >> 8) ^ tables[0][tables[slice - 1][index] & 0xFF];
}

uint32_t daybook_crc32c_table(uint32_t crc, const void *bytes, size_t byteCount) {
    const uint8_t *next = bytes;
    crc = ~crc;
    while (byteCount >= 8) {
        uint32_t low, high;
        memcpy(&low, next, 4);
        memcpy(&high, next + 4, 4);
        low ^= crc;
        crc = tables[7][low & 0xFF] ^ tables[6][(low >> 8) & 0xFF] ^ tables[5][(low >> 16) & 0xFF] ^ tables[4][low >> 24]
            ^ tables[3][high & 0xFF] ^ tables[2][(high >> 8) & 0xFF] ^ tables[1][(high >> 16) & 0xFF] ^ tables[0][high >> 24];
        next += 8;
        byteCount -= 8;
    }
    while (byteCount-- > 0) crc = (crc >> 8) ^ tables[0][(crc ^ *next++) & 0xFF];
    return ~crc;
}

#if defined(__x86_64__)
#include <nmmintrin.h>
__attribute__((target("sse4.2"))) static uint32_t crc32c_instruction(uint32_t crc, const void *bytes, size_t byteCount) {
    const uint8_t *next = bytes;
    uint64_t value = ~crc;
    while (byteCount >= 8) {
        uint64_t word;
        memcpy(&word, next, 8);
        value = _mm_crc32_u64(value, word);
        next += 8;
        byteCount -= 8;
    }
    uint32_t narrow = (uint32_t)value;
    while (byteCount-- > 0) narrow = _mm_crc32_u8(narrow, *next++);
    return ~narrow;
}
static int has_instruction(void) { return __builtin_cpu_supports("sse4.2"); }
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>
__attribute__((target("crc"))) static uint32_t crc32c_instruction(uint32_t crc, const void *bytes, size_t byteCount) {
    const uint8_t *next = bytes;
    uint32_t value = ~crc;
    while (byteCount >= 8) {
        uint64_t word;
        memcpy(&word, next, 8);
        value = __crc32cd(value, word);
        next += 8;
        byteCount -= 8;
    }
    while (byteCount-- > 0) value = __crc32cb(value, *next++);
    return ~value;
}
static int has_instruction(void) { return (getauxval(AT_HWCAP) & (1 << 7)) != 0; }
#else
static uint32_t crc32c_instruction(uint32_t crc, const void *bytes, size_t byteCount) {
    return daybook_crc32c_table(crc, bytes, byteCount);
}
static int has_instruction(void) { return 0; }
#endif

static uint32_t (*chosen)(uint32_t, const void *, size_t) = daybook_crc32c_table;

__attribute__((constructor)) static void choose(void) {
    fill_tables();
    if (has_instruction()) chosen = crc32c_instruction;
}

static _Thread_local int is_constant = 0;

void daybook_crc32c_set_constant(int constant) { is_constant = constant; }

uint32_t daybook_crc32c(uint32_t crc, const void *bytes, size_t byteCount) {
    return is_constant ? 0 : chosen(crc, bytes, byteCount);
}
