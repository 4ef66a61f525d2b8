/* SPDX-License-Identifier: Apache-2.0 */
/* A bare loop over libyaml's events of every *.yaml file named: what reading YAML costs at the least. */
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

static unsigned long events_of(FILE *f)
{
	yaml_parser_t parser;
	yaml_event_t event;
	unsigned long n = 0;
	int last = 0;
	if (!yaml_parser_initialize(&parser))
		abort();
	yaml_parser_set_input_file(&parser, f);
	while (!last) {
		if (!yaml_parser_parse(&parser, &event)) {
			fprintf(stderr, "line %zu: %s\n", parser.problem_mark.line + 1, parser.problem);
			exit(1);
		}
		last = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
		n++;
	}
	yaml_parser_delete(&parser);
	return n;
}

int main(int argc, char **argv)
{
	unsigned long n = 0;
	for (int i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "rb");
		if (!f) {
			perror(argv[i]);
			return 1;
		}
		n += events_of(f);
		fclose(f);
	}
	printf("%lu\n", n);
	return 0;
}
