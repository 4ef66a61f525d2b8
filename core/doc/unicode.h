/* SPDX-License-Identifier: Apache-2.0 */
/* What kind of character a code point is. */
#ifndef DOC_UNICODE_H
#define DOC_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool unicode_is_letter(uint32_t c);
bool unicode_is_digit(uint32_t c); /* a decimal digit, of any script */

/* The character at p of UTF-8 that goes up to end, and how many bytes it has; one byte of what is cut off. */
static inline uint32_t unicode_at(const char *p, const char *end, size_t *n)
{
	const unsigned char *s = (const unsigned char *)p;

	*n = *s < 0x80 ? 1 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : 4;
	if ((size_t)(end - p) < *n)
		*n = 1;
	switch (*n) {
	case 1:
		return *s;
	case 2:
		return (*s & 0x1fu) << 6 | (s[1] & 0x3fu);
	case 3:
		return (*s & 0x0fu) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu);
	default:
		return (*s & 0x07u) << 18 | (s[1] & 0x3fu) << 12 | (s[2] & 0x3fu) << 6 | (s[3] & 0x3fu);
	}
}

#endif
