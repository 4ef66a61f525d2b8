/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fault points of test builds (make FAULTS=1). PLUMB_FAULT="store.commit.before:3" kills the process
 * with SIGKILL when it passes that point for the third time; PLUMB_FAULT_TRACE=FILE appends the name of
 * every point passed, so that a test can find them all. In other builds it is nothing.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#ifdef PLUMB_FAULTS
void fault_point(const char *name);
#define FAULT(name) fault_point(name)
#else
#define FAULT(name) ((void)0)
#endif

#endif
