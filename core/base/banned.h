/* SPDX-License-Identifier: Apache-2.0 */
/* Included first into every file of ours by the Makefile: calls that have a better replacement do not compile. */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BANNED(f) use_something_better_than_##f

#undef strcpy
#undef strcat
#undef strncpy
#undef strncat
#undef strtok
#undef sprintf
#undef vsprintf
#define strcpy(a, b)	 BANNED(strcpy)
#define strcat(a, b)	 BANNED(strcat)
#define strncpy(a, b, c) BANNED(strncpy)
#define strncat(a, b, c) BANNED(strncat)
#define strtok(a, b)	 BANNED(strtok)
#define sprintf(...)	 BANNED(sprintf)
#define vsprintf(...)	 BANNED(vsprintf)
#define atoi(a)		 BANNED(atoi)
#define gmtime(a)	 BANNED(gmtime)
#define localtime(a)	 BANNED(localtime)
#define ctime(a)	 BANNED(ctime)
#define asctime(a)	 BANNED(asctime)
#define system(a)	 BANNED(system)
#define popen(a, b)	 BANNED(popen)

#endif
