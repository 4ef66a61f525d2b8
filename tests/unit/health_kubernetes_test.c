/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of plugins/health/kubernetes, through the plugin's entry and a host of the test's own. */
#include "core/base/arena.h"
#include "core/base/mem.h"
#include "core/doc/identity.h"
#include "plumb/plugin.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

/* One row a rule. In the texts ' stands for ". */
static const struct row {
	const char *api, *kind, *object; /* the object without its outer braces, apiVersion, kind and name */
	uint32_t health;
	const char *message;
} rows[] = {
#define DEPLOYMENT "apps/v1", "Deployment"
	{DEPLOYMENT, "'spec':{'replicas':2,'paused':true}", PL_SUSPENDED, "Deployment is paused"},
	{DEPLOYMENT, "'spec':{},'status':{'observedGeneration':1},'metadata':{'generation':2,'name':'web'}",
	 PL_PROGRESSING, "Waiting for rollout to finish: observed deployment generation less than desired generation"},
	{DEPLOYMENT,
	 "'status':{'conditions':[{'type':'Available'},{'type':'Progressing','reason':'ProgressDeadlineExceeded'}]}",
	 PL_DEGRADED, "Deployment 'web' exceeded its progress deadline"},
	{DEPLOYMENT, "'spec':{'replicas':3},'status':{'updatedReplicas':1}", PL_PROGRESSING,
	 "Waiting for rollout to finish: 1 out of 3 new replicas have been updated..."},
	{DEPLOYMENT, "'spec':{'replicas':3},'status':{'updatedReplicas':3,'replicas':5}", PL_PROGRESSING,
	 "Waiting for rollout to finish: 2 old replicas are pending termination..."},
	{DEPLOYMENT, "'status':{'updatedReplicas':3,'replicas':3,'availableReplicas':2}", PL_PROGRESSING,
	 "Waiting for rollout to finish: 2 of 3 updated replicas are available..."},
	{DEPLOYMENT, "'spec':{'replicas':1},'status':{'updatedReplicas':1,'replicas':1,'availableReplicas':1}",
	 PL_HEALTHY, ""},
	{DEPLOYMENT, "'spec':null,'status':null", PL_HEALTHY, ""},
	{DEPLOYMENT, "'spec':{'replicas':'3'}", PL_UNKNOWN, "Deployment web: spec.replicas is not a whole number"},
	{DEPLOYMENT, "'spec':{'replicas':2.5}", PL_UNKNOWN, "Deployment web: spec.replicas is not a whole number"},
	{DEPLOYMENT, "'spec':[1]", PL_UNKNOWN, "Deployment web: spec is not a map"},
	{DEPLOYMENT, "'status':{'conditions':{'a':'b'}}", PL_UNKNOWN,
	 "Deployment web: status.conditions is not a list"},
	{DEPLOYMENT, "'status':{'conditions':[1,null,{'type':7}]}", PL_UNKNOWN,
	 "Deployment web: status.conditions[].type is not a string"},
	{"apps/v1beta2", "Deployment", "'spec':{}", PL_UNKNOWN,
	 "unsupported Deployment GVK: apps/v1beta2, Kind=Deployment"},
	{"extensions/v1beta1", "Deployment", "'spec':{}", PL_HEALTH_NONE, ""},

#define STATEFUL "apps/v1", "StatefulSet"
	{STATEFUL, "'spec':{}", PL_PROGRESSING, "Waiting for statefulset spec update to be observed..."},
	{STATEFUL, "'metadata':{'name':'web','generation':3},'status':{'observedGeneration':2}", PL_PROGRESSING,
	 "Waiting for statefulset spec update to be observed..."},
	{STATEFUL, "'spec':{'replicas':3},'status':{'observedGeneration':1,'readyReplicas':1}", PL_PROGRESSING,
	 "Waiting for 2 pods to be ready..."},
	{STATEFUL,
	 "'spec':{'replicas':4,'updateStrategy':{'type':'RollingUpdate','rollingUpdate':{'partition':1}}},"
	 "'status':{'observedGeneration':1,'readyReplicas':4,'updatedReplicas':1}",
	 PL_PROGRESSING, "Waiting for partitioned roll out to finish: 1 out of 3 new pods have been updated..."},
	{STATEFUL,
	 "'spec':{'replicas':4,'updateStrategy':{'type':'RollingUpdate','rollingUpdate':{}}},"
	 "'status':{'observedGeneration':1,'readyReplicas':4,'updatedReplicas':2}",
	 PL_HEALTHY, "partitioned roll out complete: 2 new pods have been updated..."},
	{STATEFUL, "'spec':{'updateStrategy':{'type':'OnDelete'}},'status':{'observedGeneration':1,'readyReplicas':4}",
	 PL_HEALTHY, "statefulset has 4 ready pods"},
	{STATEFUL, "'status':{'observedGeneration':1,'updateRevision':'b','currentRevision':'a','updatedReplicas':1}",
	 PL_PROGRESSING, "waiting for statefulset rolling update to complete 1 pods at revision b..."},
	{STATEFUL, "'status':{'observedGeneration':1,'updateRevision':'ab','currentRevision':'a'}", PL_PROGRESSING,
	 "waiting for statefulset rolling update to complete 0 pods at revision ab..."},
	{STATEFUL, "'status':{'observedGeneration':1,'updateRevision':'a','currentRevision':'a','currentReplicas':2}",
	 PL_HEALTHY, "statefulset rolling update complete 2 pods at revision a..."},

#define REPLICAS "apps/v1", "ReplicaSet"
	{REPLICAS, "'metadata':{'name':'web','generation':1}", PL_PROGRESSING,
	 "Waiting for rollout to finish: observed replica set generation less than desired generation"},
	{REPLICAS, "'status':{'conditions':[{'type':'ReplicaFailure','status':'True','message':'quota'}]}", PL_DEGRADED,
	 "quota"},
	{REPLICAS, "'spec':{'replicas':2},'status':{'conditions':[{'type':'ReplicaFailure','status':'False'}]}",
	 PL_PROGRESSING, "Waiting for rollout to finish: 0 out of 2 new replicas are available..."},
	{REPLICAS, "'spec':{'replicas':2},'status':{'availableReplicas':2}", PL_HEALTHY, ""},

#define DAEMON "apps/v1", "DaemonSet"
	{DAEMON, "'metadata':{'name':'web','generation':1}", PL_PROGRESSING,
	 "Waiting for rollout to finish: observed daemon set generation less than desired generation"},
	{DAEMON,
	 "'spec':{'updateStrategy':{'type':'OnDelete'}},'status':{'updatedNumberScheduled':1,"
	 "'desiredNumberScheduled':3}",
	 PL_HEALTHY, "daemon set 1 out of 3 new pods have been updated"},
	{DAEMON, "'status':{'updatedNumberScheduled':1,'desiredNumberScheduled':3}", PL_PROGRESSING,
	 "Waiting for daemon set 'web' rollout to finish: 1 out of 3 new pods have been updated..."},
	{DAEMON, "'status':{'updatedNumberScheduled':3,'desiredNumberScheduled':3,'numberAvailable':2}", PL_PROGRESSING,
	 "Waiting for daemon set 'web' rollout to finish: 2 of 3 updated pods are available..."},
	{DAEMON, "'status':{}", PL_HEALTHY, ""},

#define POD    "v1", "Pod"
#define ALWAYS "'spec':{'restartPolicy':'Always'}"
	{POD,
	 ALWAYS ",'status':{'phase':'Running','containerStatuses':["
		"{'state':{'waiting':{'reason':'CrashLoopBackOff','message':'one'}}},"
		"{'state':{'waiting':{'reason':'ContainerCreating','message':'not this'}}},{'state':{'running':{}}},"
		"{'state':{'waiting':{'reason':'ErrImagePull','message':'two'}}},"
		"{'state':{'waiting':{'reason':'CreateContainerConfigError'}}}]}",
	 PL_DEGRADED, "one, two, "},
	{POD,
	 "'spec':{'restartPolicy':'Never'},'status':{'phase':'Pending','message':'waits','containerStatuses':["
	 "{'state':{'waiting':{'reason':'ErrImagePull','message':'not looked at'}}}]}",
	 PL_PROGRESSING, "waits"},
	{POD,
	 ALWAYS ",'status':{'phase':'Pending','initContainerStatuses':["
		"{'state':{'waiting':{'reason':'CrashLoopBackOff'}}}]}",
	 PL_PROGRESSING, ""},
	{POD, "'status':{'phase':'Succeeded','message':'done'}", PL_HEALTHY, "done"},
	{POD, "'status':{'phase':'Failed','message':'evicted'}", PL_DEGRADED, "evicted"},
	{POD,
	 "'status':{'phase':'Failed','initContainerStatuses':[{'name':'i','state':{'terminated':{'exitCode':0}}}],"
	 "'containerStatuses':[{'name':'a \\'b\\\\','state':{'terminated':{'exitCode':-3}}}]}",
	 PL_DEGRADED, "container 'a \\'b\\\\' failed with exit code -3"},
	{POD,
	 "'status':{'phase':'Failed','initContainerStatuses':[{'state':{'terminated':{'reason':'OOMKilled',"
	 "'exitCode':137}}}],'containerStatuses':[{'state':{'terminated':{'message':'later'}}}]}",
	 PL_DEGRADED, "OOMKilled"},
	{POD, "'status':{'phase':'Failed','containerStatuses':[{'state':{'terminated':{'message':'boom'}}}]}",
	 PL_DEGRADED, "boom"},
	{POD, "'status':{'phase':'Failed'}", PL_DEGRADED, ""},
	{POD, ALWAYS ",'status':{'phase':'Running','conditions':[{'type':'Ready','status':'True'}]}", PL_HEALTHY, ""},
	{POD, ALWAYS ",'status':{'phase':'Running','containerStatuses':[{'lastState':{'terminated':{}}}]}", PL_DEGRADED,
	 ""},
	{POD, ALWAYS ",'status':{'phase':'Running','message':'m'}", PL_PROGRESSING, "m"},
	{POD, "'spec':{'restartPolicy':'OnFailure'},'status':{'phase':'Running'}", PL_PROGRESSING, ""},
	{POD, "'status':{'phase':'Running'}", PL_UNKNOWN, ""},
	{POD, "'status':{'phase':'Unknown','message':'node lost'}", PL_UNKNOWN, "node lost"},
	{POD, "'spec':{}", PL_UNKNOWN, ""},
#define IGNORING "'argocd.argoproj.io/ignore-restart-policy':'true'"
#define READY                                                                                                          \
	",'spec':{'restartPolicy':'OnFailure'},'status':{'phase':'Running','conditions':[{'type':'Ready','status':"    \
	"'True'}]}"
	{POD, "'metadata':{'name':'web','annotations':{" IGNORING "}}" READY, PL_HEALTHY, ""},
	{POD, "'metadata':{'name':'web','annotations':{" IGNORING ",'argocd.argoproj.io/hook':'Sync'}}" READY,
	 PL_PROGRESSING, ""},
	{POD, "'metadata':{'name':'web','annotations':{" IGNORING ",'argocd.argoproj.io/hook':'Skip'}}" READY,
	 PL_HEALTHY, ""},
	{POD, "'metadata':{'name':'web','annotations':{" IGNORING ",'argocd.argoproj.io/hook':'Skip, PreSync'}}" READY,
	 PL_PROGRESSING, ""},
	{POD, "'metadata':{'name':'web','annotations':{" IGNORING ",'helm.sh/hook':'crd-install'}}" READY, PL_HEALTHY,
	 ""},
	{POD, "'metadata':{'name':'web','annotations':{" IGNORING ",'helm.sh/hook':'test'}}" READY, PL_PROGRESSING, ""},

#define JOB "batch/v1", "Job"
	{JOB, "'status':{}", PL_PROGRESSING, ""},
	{JOB, "'status':{'conditions':[{'type':'SuccessCriteriaMet','status':'True'}]}", PL_PROGRESSING, ""},
	{JOB,
	 "'status':{'conditions':[{'type':'Complete','message':'c'},{'type':'Failed','status':'False',"
	 "'message':'f'}]}",
	 PL_DEGRADED, "f"},
	{JOB, "'status':{'conditions':[{'type':'Suspended','status':'True','message':'s'}]}", PL_SUSPENDED, "s"},
	{JOB, "'status':{'conditions':[{'type':'Suspended','status':'False','message':'resumed'}]}", PL_HEALTHY,
	 "resumed"},
	{JOB, "'status':{'conditions':[{'type':'Complete','status':'True','message':'c'}]}", PL_HEALTHY, "c"},
	{"batch/v1", "CronJob", "'status':{}", PL_HEALTH_NONE, ""},

#define SCALER2 "autoscaling/v2", "HorizontalPodAutoscaler"
#define SCALER1 "autoscaling/v1", "HorizontalPodAutoscaler"
#define SCALING "'metadata':{'name':'web','annotations':{'autoscaling.alpha.kubernetes.io/conditions':"
	{SCALER2,
	 "'status':{'conditions':[{'type':'AbleToScale','status':'True','message':'fine'},"
	 "{'type':'ScalingActive','status':'True','reason':'InvalidSelector','message':'bad selector'}]}",
	 PL_DEGRADED, "bad selector"},
	{SCALER2, "'status':{'conditions':[{'type':'ScalingActive','reason':'FailedGetScale'}]}", PL_PROGRESSING,
	 "Waiting to Autoscale"},
	{SCALER2, "'status':{'conditions':[{'type':'ScalingLimited','status':'True','message':'limited'}]}", PL_HEALTHY,
	 "limited"},
	{SCALER1, "'status':{}", PL_PROGRESSING, "Waiting to Autoscale"},
	{SCALER1, SCALING "'[]'}}", PL_PROGRESSING, "Waiting to Autoscale"},
	{SCALER1, SCALING "'null'}}", PL_PROGRESSING, "Waiting to Autoscale"},
	{SCALER1, SCALING "'[{\\'TYPE\\':\\'AbleToScale\\',\\'Status\\':\\'True\\',\\'message\\':\\'m\\'}]'}}",
	 PL_HEALTHY, "m"},
	{SCALER1, SCALING "'{}'}}", PL_UNKNOWN,
	 "the annotation autoscaling.alpha.kubernetes.io/conditions is not a JSON list"},
	{"autoscaling/v2beta2", "HorizontalPodAutoscaler", "'status':{}", PL_UNKNOWN,
	 "unsupported HPA GVK: autoscaling/v2beta2, Kind=HorizontalPodAutoscaler"},

	{"v1", "Service", "'spec':{'type':'LoadBalancer'}", PL_PROGRESSING, ""},
	{"v1", "Service", "'spec':{'type':'LoadBalancer'},'status':{'loadBalancer':{'ingress':[{'ip':'1.2.3.4'}]}}",
	 PL_HEALTHY, ""},
	{"v1", "Service", "'spec':{'type':'ClusterIP'}", PL_HEALTHY, ""},
	{"v2", "Service", "'spec':{}", PL_UNKNOWN, "unsupported Service GVK: /v2, Kind=Service"},
	{"serving.knative.dev/v1", "Service", "'spec':{}", PL_HEALTH_NONE, ""},
	{"networking.k8s.io/v1", "Ingress", "'status':{'loadBalancer':{'ingress':[]}}", PL_PROGRESSING, ""},
	{"extensions/v9", "Ingress", "'status':{'loadBalancer':{'ingress':[{}]}}", PL_HEALTHY, ""},
	{"v1", "PersistentVolumeClaim", "'status':{'phase':'Bound'}", PL_HEALTHY, ""},
	{"v1", "PersistentVolumeClaim", "'status':{'phase':'Pending'}", PL_PROGRESSING, ""},
	{"v1", "PersistentVolumeClaim", "'status':{'phase':'Lost'}", PL_DEGRADED, ""},
	{"v1", "PersistentVolumeClaim", "'status':{}", PL_UNKNOWN, ""},
#define API "apiregistration.k8s.io/v1", "APIService"
	{API, "'status':{}", PL_PROGRESSING, "Waiting to be processed"},
	{API, "'status':{'conditions':[{'type':'Available','status':'True','reason':'Passed','message':'all'}]}",
	 PL_HEALTHY, "Passed: all"},
	{API, "'status':{'conditions':[{'type':'Available','status':'False','reason':'Gone'}]}", PL_PROGRESSING,
	 "Gone: "},
	{"argoproj.io/v1alpha1", "Workflow", "'status':{}", PL_PROGRESSING, ""},
	{"argoproj.io/v1alpha1", "Workflow", "'status':{'phase':'Running','message':'m'}", PL_PROGRESSING, "m"},
	{"argoproj.io/v9", "Workflow", "'status':{'phase':'Succeeded'}", PL_HEALTHY, ""},
	{"argoproj.io/v9", "Workflow", "'status':{'phase':'Error','message':'m'}", PL_DEGRADED, "m"},
	{"argoproj.io/v9", "Workflow", "'status':{'phase':'Odd'}", PL_UNKNOWN, ""},
	{"v1", "ConfigMap", "'data':{}", PL_HEALTH_NONE, ""},
};

/* ---- host ---- */

struct fix {
	void *so;
	const pl_plugin *plugin;
	void *self;
	struct arena *a;
	pl_doc *doc;
	pl_host host;
};

static void *host_alloc(void *ctx, size_t n)
{
	struct fix *f = ctx;

	return arena_alloc(f->a, n);
}

static pl_doc *host_doc(void *ctx)
{
	struct fix *f = ctx;

	return f->doc;
}

static int setup(void **state)
{
	struct fix *f = mem_zalloc(sizeof(*f));
	char path[4200];
	ssize_t n = readlink("/proc/self/exe", path, 4000);
	char *slash;

	assert_true(n > 0);
	path[n] = '\0';
	slash = strrchr(path, '/');
	snprintf(slash, 200, "/../plugins/health/kubernetes.so");
	f->so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!f->so)
		fail_msg("%s", dlerror());

	union {
		void *in;
		pl_plugin_entry_fn out;
	} entry = {.in = dlsym(f->so, "pl_plugin_entry")};

	assert_non_null(entry.in);
	assert_null(entry.out(PL_ABI + 1));
	f->plugin = entry.out(PL_ABI);
	assert_non_null(f->plugin);
	f->a = arena_new();
	f->doc = pl_doc_new(NULL);
	f->host = (pl_host){.size = sizeof(f->host), .abi = PL_ABI, .ctx = f, .alloc = host_alloc, .doc = host_doc};
	assert_int_equal(f->plugin->health->open(&f->host, S("{}"), &f->self), PL_OK);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	f->plugin->health->close(f->self);
	pl_doc_unref(f->doc);
	arena_free(f->a);
	dlclose(f->so);
	free(f);
	return 0;
}

/* As the host asks: only claimed kinds reach the plugin. */
static bool is_claimed(const pl_health_ops *ops, const pl_ref *ref)
{
	struct buf key = BUF_INIT(1000);
	bool found = false;

	buf_addf(&key, "%.*s%s%.*s", F(ref->group), ref->group.n ? "/" : "", F(ref->kind));
	for (uint32_t i = 0; i < ops->n_claims; i++)
		found = found || str_eq(ops->claims[i], buf_str(&key));
	buf_free(&key);
	return found;
}

static pl_verdict assess(struct fix *f, const char *json)
{
	struct pl_err e = ERR_INIT;
	pl_verdict v = {.size = sizeof(v)};
	pl_node *root;
	pl_ref ref;

	if (pl_json_read(f->doc, str_of(json), "row", 0, &root, &e) != PL_OK || ref_of(f->doc, root, &ref, &e) != PL_OK)
		fail_msg("%s: %s", json, pl_err_text(&e));
	if (is_claimed(f->plugin->health, &ref))
		assert_int_equal(f->plugin->health->assess(&f->host, f->self, &ref, f->doc, root, &v), PL_OK);
	return v;
}

static void swap_quotes(char *s)
{
	for (; *s; s++)
		if (*s == '\'')
			*s = '"';
}

/* ---- tests ---- */

static void every_rule_answers_as_documented(void **state)
{
	struct fix *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *r = &rows[i];
		bool named = strstr(r->object, "'metadata'") != NULL;
		struct buf json = BUF_INIT(65536);
		char *want = str_dup(str_of(r->message));

		buf_addf(&json, "{'apiVersion':'%s','kind':'%s',%s%s}", r->api, r->kind,
			 named ? "" : "'metadata':{'name':'web'},", r->object);
		swap_quotes(json.p);
		swap_quotes(want);

		pl_verdict v = assess(f, json.p);
		pl_str got = v.message;

		if (v.health != r->health || !str_eqz(got, want))
			fail_msg("%s\n  gave %u '%.*s'\n  not  %u '%s'", json.p, v.health, F(got), r->health, want);
		buf_free(&json);
		free(want);
	}
}

static void an_unreadable_annotation_is_told(void **state)
{
	struct fix *f = *state;
	pl_verdict v = assess(f, "{\"apiVersion\":\"autoscaling/v1\",\"kind\":\"HorizontalPodAutoscaler\","
				 "\"metadata\":{\"name\":\"web\",\"annotations\":{"
				 "\"autoscaling.alpha.kubernetes.io/conditions\":\"not json\"}}}");

	assert_int_equal(v.health, PL_UNKNOWN);
	assert_true(str_starts(v.message, S("the annotation with the conditions can't be read: ")));
}

static void the_plugin_describes_itself(void **state)
{
	struct fix *f = *state;

	assert_int_equal(f->plugin->size, sizeof(pl_plugin));
	assert_int_equal(f->plugin->abi, PL_ABI);
	assert_int_equal(f->plugin->kind, PL_KIND_HEALTH);
	assert_true(f->plugin->flags & PL_THREAD_SAFE);
	assert_true(str_eqz(f->plugin->name, "kubernetes"));
	assert_true(f->plugin->summary.n > 0 && f->plugin->version.n > 0);
	assert_null(f->plugin->source);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_rule_answers_as_documented, setup, teardown),
		cmocka_unit_test_setup_teardown(an_unreadable_annotation_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(the_plugin_describes_itself, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
