/* SPDX-License-Identifier: Apache-2.0 */
/* What plumb.yaml may say below `git:`. */
#ifndef GIT_SCHEMA_H
#define GIT_SCHEMA_H

/* clang-format off */
#define PATH_OPTION(name, text) "\"" name "\":{\"type\":\"string\",\"format\":\"path\",\"minLength\":1,\"description\":\"" text "\"},"
#define TEXT_OPTION(name, text) "\"" name "\":{\"type\":\"string\",\"minLength\":1,\"description\":\"" text "\"}"

#define GIT_OPTIONS_SCHEMA \
	"{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"url\"],\"properties\":{" \
	"\"url\":{\"type\":\"string\",\"minLength\":1,\"description\":\"the repository: https://, http://, ssh://, user@host:path, " \
	"git://, file:// or an absolute path; without credentials in it\"}," \
	"\"revision\":{\"type\":\"string\",\"description\":\"branch, tag, refs/… or full commit id; default: the default branch\"}," \
	"\"credentials\":{\"type\":\"object\",\"additionalProperties\":false,\"description\":\"how to log in; secrets are named, " \
	"never written here\",\"properties\":{" \
	PATH_OPTION("tokenFile", "file with an access token, sent as the password over http(s)") \
	TEXT_OPTION("tokenEnv", "environment variable with an access token") "," \
	TEXT_OPTION("username", "user name; default: git") "," \
	PATH_OPTION("usernameFile", "file with the user name") \
	PATH_OPTION("passwordFile", "file with the password") \
	TEXT_OPTION("passwordEnv", "environment variable with the password") "," \
	PATH_OPTION("sshKeyFile", "private key for ssh") \
	PATH_OPTION("sshKeyPassphraseFile", "file with the key's passphrase") \
	"\"knownHostsFile\":{\"type\":\"string\",\"format\":\"path\",\"minLength\":1,\"description\":\"host keys that are " \
	"trusted; default: ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts\"}" \
	"}}," \
	PATH_OPTION("caFile", "PEM file of the authorities that https servers are checked against, instead of the system's") \
	"\"allowedHosts\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"description\":\"when given, redirects are followed " \
	"only within the same host\"}," \
	"\"maxBytes\":{\"type\":\"integer\",\"minimum\":1,\"default\":1073741824,\"description\":\"most bytes that one fetch may " \
	"receive\"}}}"
/* clang-format on */

#endif
