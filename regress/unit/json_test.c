/*
 * SPDX-License-Identifier: ISC
 *
 * JSON objects: every string a stranger can choose stays inside its quotes.
 */
#include <stdio.h>
#include <string.h>

#include "json.h"

static int	failed;

static void
check(const char *name, const char *got, const char *want)
{
	if (strcmp(got, want) == 0) {
		printf("ok json: %s\n", name);
		return;
	}
	printf("not ok json: %s: %s\n", name, got);
	failed = 1;
}

static void
check_string(const char *name, const char *value, const char *want)
{
	char		buf[256], object[256];
	struct json	j;

	json_init(&j, buf, sizeof(buf));
	json_object(&j, NULL);
	json_string(&j, "s", value);
	json_object_end(&j);
	(void)snprintf(object, sizeof(object), "{\"s\":%s}", want);
	check(name, buf, object);
}

static void
nesting(void)
{
	char		buf[256];
	struct json	j;

	json_init(&j, buf, sizeof(buf));
	json_object(&j, NULL);
	json_number(&j, "n", 18446744073709551615ULL);
	json_null(&j, "x");
	json_array(&j, "a");
	json_string(&j, NULL, "1");
	json_string(&j, NULL, "2");
	json_array_end(&j);
	json_array(&j, "e");
	json_array_end(&j);
	json_bool(&j, "b", true);
	json_object(&j, "o");
	json_object_end(&j);
	json_object_end(&j);
	check("nested", buf, "{\"n\":18446744073709551615,\"x\":null,"
	    "\"a\":[\"1\",\"2\"],\"e\":[],\"b\":true,\"o\":{}}");
}

/* What does not fit is never cut in the middle of an escape. */
static void
overflow(void)
{
	char		buf[16];
	struct json	j;

	json_init(&j, buf, sizeof(buf));
	json_object(&j, NULL);
	json_string(&j, "key", "\n\n\n\n\n\n");
	check("full is said", j.out.full ? "yes" : "no", "yes");
	check("full is terminated", buf[sizeof(buf) - 1] == '\0' ||
	    strlen(buf) < sizeof(buf) ? "yes" : "no", "yes");
}

int
main(void)
{
	check_string("plain", "curl", "\"curl\"");
	check_string("null", NULL, "null");
	check_string("quote and backslash", "a\"b\\", "\"a\\\"b\\\\\"");
	check_string("control", "a\nb\x1b", "\"a\\u000ab\\u001b\"");
	check_string("delete", "\x7f", "\"\\u007f\"");
	check_string("two bytes", "\xc3\xa9", "\"\\u00e9\"");
	check_string("right-to-left override", "\xe2\x80\xae",
	    "\"\\u202e\"");
	check_string("four bytes", "\xf0\x9f\x98\x80", "\"\\ud83d\\ude00\"");
	check_string("overlong", "\xc0\xaf", "\"\\\\xc0\\\\xaf\"");
	check_string("surrogate", "\xed\xa0\x80",
	    "\"\\\\xed\\\\xa0\\\\x80\"");
	check_string("cut sequence", "\xe2\x80", "\"\\\\xe2\\\\x80\"");
	check_string("above the last", "\xf4\x90\x80\x80",
	    "\"\\\\xf4\\\\x90\\\\x80\\\\x80\"");
	nesting();
	overflow();
	return failed;
}
