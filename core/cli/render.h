/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of `plumb render`: building a folder, writing what came out. */
#ifndef CLI_RENDER_H
#define CLI_RENDER_H

#include "core/cli/cli.h"
#include "core/plugin/render.h"

/* ---- render_folder.c ---- */

/* Is it a URL, or what Git and Kustomize take for one, and not a folder that is there? */
bool render_is_remote(const char *name);
bool render_has_kustomization(const char *folder);
/* By kustomize, or by the renderer that --renderer names. Needs no config. */
pl_status render_folder(struct cli *c, const char *path, struct nodes *out, struct pl_err *e);

/* ---- render_remote.c ---- */

/* From the user's cache folder, or fetched into it; offline: only from it. Both arguments outlive it. */
struct remotes *render_remotes_new(struct cli *c, struct registry *registry, bool offline);
void render_remotes_free(struct remotes *r);

/* ---- render_write.c ---- */

/*
 * To stdout; or, when --output names no form, into a folder that is there (a file for each resource) or a file, which
 * is whole or as it was. Returns the exit status, errors told.
 */
int render_write(struct cli *c, const pl_doc *d, pl_node *const *v, size_t n);
/* Reads --output before anything is built; -1: go on, else the exit status. */
int render_output(struct cli *c);

#endif
