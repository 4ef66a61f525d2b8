/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a Kubernetes list of some 10 MB, as an API server sends it (minified), with plumb's reader and with cJSON, and
 * prints the ratio of the CPU time of the best of several rounds each. usage:
 * json_bench [MEGABYTES [ROUNDS]]
 */
#include "plumb/doc.h"

#include "core/base/buf.h"

#include <cjson/cJSON.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void add_pod(struct buf *b, unsigned i)
{
	buf_addf(b,
		 "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"shop-%u-7d9c6b5f4-x%05u\","
		 "\"namespace\":\"team-%u\","
		 "\"uid\":\"6f1c2d3e-0000-4000-8000-%012u\",\"resourceVersion\":\"%u\",\"creationTimestamp\":\"2026-03-"
		 "01T10:00:00Z\","
		 "\"labels\":{\"app\":\"shop-%u\",\"tier\":\"backend\",\"pod-template-hash\":\"7d9c6b5f4\"},"
		 "\"annotations\":{\"description\":\"runs the \\\"shop\\\" number %u\\nfor everybody\"},"
		 "\"ownerReferences\":[{\"apiVersion\":\"apps/"
		 "v1\",\"kind\":\"ReplicaSet\",\"name\":\"shop-%u-7d9c6b5f4\",\"controller\":true,"
		 "\"blockOwnerDeletion\":true}]},",
		 i, i, i % 40, i, i * 7, i, i, i);
	buf_addf(b,
		 "\"spec\":{\"containers\":[{\"name\":\"main\",\"image\":\"registry.example.org/shop/backend:v1.%u\","
		 "\"ports\":[{\"containerPort\":8080,\"protocol\":\"TCP\"}],\"env\":[{\"name\":\"LOG_LEVEL\",\"value\":"
		 "\"info\"},"
		 "{\"name\":\"WORKERS\",\"value\":\"4\"}],\"resources\":{\"limits\":{\"cpu\":\"500m\",\"memory\":"
		 "\"256Mi\"},"
		 "\"requests\":{\"cpu\":\"100m\",\"memory\":\"128Mi\"}},\"livenessProbe\":{\"httpGet\":{\"path\":\"/"
		 "healthz\",\"port\":8080,"
		 "\"scheme\":\"HTTP\"},\"initialDelaySeconds\":10,\"periodSeconds\":5,\"failureThreshold\":3},"
		 "\"terminationMessagePath\":\"/dev/"
		 "termination-log\",\"imagePullPolicy\":\"IfNotPresent\"}],\"restartPolicy\":\"Always\","
		 "\"terminationGracePeriodSeconds\":30,\"dnsPolicy\":\"ClusterFirst\",\"nodeName\":\"node-%u\","
		 "\"priority\":0},",
		 i % 100, i % 250);
	buf_addf(b,
		 "\"status\":{\"phase\":\"Running\",\"hostIP\":\"10.0.%u.%u\",\"conditions\":[{\"type\":\"Ready\","
		 "\"status\":\"True\","
		 "\"lastProbeTime\":null,\"lastTransitionTime\":\"2026-03-01T10:00:05Z\"},{\"type\":\"PodScheduled\","
		 "\"status\":\"True\","
		 "\"lastProbeTime\":null,\"lastTransitionTime\":\"2026-03-01T10:00:01Z\"}],\"containerStatuses\":[{"
		 "\"name\":\"main\","
		 "\"ready\":true,\"restartCount\":0,\"started\":true}]}}",
		 i % 256, i % 199);
}

static void make_list(struct buf *b, size_t bytes)
{
	unsigned i;

	buf_addz(b,
		 "{\"apiVersion\":\"v1\",\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"100\"},\"items\":[");
	for (i = 0; b->n < bytes; i++) {
		if (i)
			buf_addc(b, ',');
		add_pod(b, i);
	}
	buf_addz(b, "]}");
}

/* Values as cJSON counts them: a pair is one. */
static size_t count_values(const cJSON *n)
{
	size_t total = 0;

	for (; n; n = n->next)
		total += 1 + count_values(n->child);
	return total;
}

static uint64_t time_ours(pl_str text, uint32_t flags, size_t *memory)
{
	uint64_t from = now_ns(), took;
	pl_doc *d = pl_doc_new(NULL);
	pl_node *root;

	if (pl_json_read(d, text, NULL, flags, &root, NULL))
		abort();
	took = now_ns() - from;
	*memory = pl_doc_memory(d);
	pl_doc_unref(d);
	return took;
}

static uint64_t time_cjson(pl_str text, size_t *values)
{
	uint64_t from = now_ns(), took;
	cJSON *root = cJSON_ParseWithLength(text.p, text.n);

	if (!root)
		abort();
	took = now_ns() - from;
	*values = count_values(root);
	cJSON_Delete(root);
	return took;
}

/* One way of reading the list. */
struct way {
	const char *name;
	uint64_t (*run)(pl_str text, size_t *result);
	size_t result; /* bytes or values */
	uint64_t took;
};

static uint64_t run_borrowed(pl_str text, size_t *memory)
{
	return time_ours(text, PL_READ_BORROW, memory);
}

static uint64_t run_copied(pl_str text, size_t *memory)
{
	return time_ours(text, 0, memory);
}

/* The best of some rounds in a process of its own: what one reader leaves in malloc's free lists is not for the other
 * to tidy up. */
static void measure(struct way *w, pl_str text, unsigned long rounds)
{
	unsigned long round;
	uint64_t took;
	int fd[2];
	pid_t pid;

	if (pipe(fd) < 0 || (pid = fork()) < 0)
		abort();
	if (pid == 0) {
		w->took = UINT64_MAX;
		for (round = 0; round < rounds; round++) {
			took = w->run(text, &w->result);
			w->took = took < w->took ? took : w->took;
		}
		_exit(write(fd[1], w, sizeof(*w)) != (ssize_t)sizeof(*w));
	}
	if (read(fd[0], w, sizeof(*w)) != (ssize_t)sizeof(*w) || waitpid(pid, NULL, 0) != pid)
		abort();
	close(fd[0]);
	close(fd[1]);
}

int main(int argc, char **argv)
{
	struct way cjson = {.name = "cjson", .run = time_cjson}, borrowed = {.name = "borrowed", .run = run_borrowed},
		   copied = {.name = "copied", .run = run_copied}, *ways[] = {&cjson, &borrowed, &copied};
	size_t bytes = (size_t)(argc > 1 ? strtoul(argv[1], NULL, 10) : 10) * 1024 * 1024, i;
	unsigned long rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 7;
	struct buf b = BUF_INIT(SIZE_MAX / 4);

	make_list(&b, bytes);
	for (i = 0; i < 3; i++)
		measure(ways[i], buf_str(&b), rounds ? rounds : 1);
	printf("json_read_vs_cjson ratio=%.2f bytes_per_value=%.1f\n", (double)cjson.took / (double)borrowed.took,
	       (double)borrowed.result / (double)cjson.result);
	printf("json_read_copied_vs_cjson ratio=%.2f\n", (double)cjson.took / (double)copied.took);
	for (i = 0; i < 3; i++)
		fprintf(stderr, "%s: %.0f MB/s\n", ways[i]->name, (double)b.n * 1e3 / (double)ways[i]->took);
	buf_free(&b);
	return 0;
}
