/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads some 5 MB of Kubernetes manifests with plumb's YAML reader, and runs a bare loop over libyaml's events on the
 * same text; prints the ratio of the best of several rounds each, taken in turn so that a busy machine hits both.
 * usage: yaml_bench [MEGABYTES [ROUNDS]]
 */
#include "plumb/doc.h"

#include "core/base/buf.h"

#include <yaml.h>

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void add_deployment(struct buf *b, unsigned i)
{
	buf_addf(b,
		 "---\n# shop %u\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: shop-%u\n  namespace: "
		 "team-%u\n"
		 "  labels:\n    app.kubernetes.io/name: shop-%u\n    app.kubernetes.io/part-of: \"shop\"\n  "
		 "annotations:\n"
		 "    description: 'runs the shop, number %u'\nspec:\n  replicas: %u\n  revisionHistoryLimit: 5\n"
		 "  selector:\n    matchLabels: {app.kubernetes.io/name: shop-%u}\n",
		 i, i, i % 40, i, i, i % 9, i);
	buf_addf(b,
		 "  template:\n    metadata:\n      labels:\n        app.kubernetes.io/name: shop-%u\n    spec:\n"
		 "      containers:\n      - name: main\n        image: registry.example.org/shop/backend:v1.%u\n"
		 "        args: [\"--listen\", \"0.0.0.0:8080\", \"--verbose\"]\n        ports:\n        - "
		 "containerPort: 8080\n"
		 "          protocol: TCP\n        env:\n        - name: LOG_LEVEL\n          value: info\n"
		 "        - name: WORKERS\n          value: \"4\"\n        resources:\n          limits:\n"
		 "            cpu: 500m\n            memory: 256Mi\n          requests:\n            cpu: 100m\n"
		 "            memory: 128Mi\n",
		 i, i % 100);
	buf_addf(b,
		 "        livenessProbe:\n          httpGet:\n            path: /healthz\n            port: 8080\n"
		 "          initialDelaySeconds: 10\n          periodSeconds: 5\n        securityContext:\n"
		 "          readOnlyRootFilesystem: true\n          runAsUser: 1000\n      volumes:\n"
		 "      - name: config\n        configMap:\n          name: shop-%u\n          defaultMode: 0644\n",
		 i);
}

static void add_config(struct buf *b, unsigned i)
{
	buf_addf(b,
		 "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: shop-%u\n  namespace: team-%u\ndata:\n"
		 "  nginx.conf: |\n    worker_processes auto;\n    events { worker_connections 1024; }\n    http {\n"
		 "      server {\n        listen 8080;\n        location / { proxy_pass http://shop-%u; }\n      }\n   "
		 " }\n"
		 "  greeting: >-\n    Welcome to shop number %u,\n    open all day\n",
		 i, i % 40, i, i);
}

static size_t run_events(pl_str text)
{
	yaml_parser_t parser;
	size_t scalars = 0;

	if (!yaml_parser_initialize(&parser))
		abort();
	yaml_parser_set_input_string(&parser, (const unsigned char *)text.p, text.n);
	for (bool more = true; more;) {
		yaml_event_t ev;

		if (!yaml_parser_parse(&parser, &ev))
			abort();
		scalars += ev.type == YAML_SCALAR_EVENT;
		more = ev.type != YAML_STREAM_END_EVENT;
		yaml_event_delete(&ev);
	}
	yaml_parser_delete(&parser);
	return scalars;
}

static size_t run_read(pl_str text)
{
	pl_doc *d = pl_doc_new(NULL);
	pl_node **roots;
	size_t n;

	if (pl_yaml_read(d, text, "bench.yaml", PL_SCHEMA_YAML11, 0, &roots, &n, NULL))
		abort();
	pl_doc_unref(d);
	return n;
}

static uint64_t time_of(size_t (*run)(pl_str), pl_str text, uint64_t best)
{
	uint64_t from = now_ns(), took;

	if (!run(text))
		abort();
	took = now_ns() - from;
	return took < best ? took : best;
}

int main(int argc, char **argv)
{
	size_t megabytes = argc > 1 ? strtoul(argv[1], NULL, 10) : 5;
	unsigned long rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 7;
	uint64_t events = UINT64_MAX, reading = UINT64_MAX;
	struct buf b = BUF_INIT(SIZE_MAX);

	for (unsigned i = 0; b.n < megabytes * 1000000; i++) {
		add_deployment(&b, i);
		add_config(&b, i);
	}
	while (rounds--) {
		events = time_of(run_events, buf_str(&b), events);
		reading = time_of(run_read, buf_str(&b), reading);
	}
	printf("yaml_read_vs_libyaml_events ratio=%.2f bytes=%zu read_mb_per_s=%.0f events_mb_per_s=%.0f\n",
	       (double)reading / (double)events, b.n, (double)b.n * 1e3 / (double)reading,
	       (double)b.n * 1e3 / (double)events);
	buf_free(&b);
	return 0;
}
