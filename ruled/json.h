/*
 * SPDX-License-Identifier: ISC
 *
 * One JSON object, written into a buffer of the caller's.  Output is plain
 * ASCII: other characters become \u escapes, bytes that are no UTF-8 become
 * "\\xNN", so that no reader and no terminal can be surprised.  Pure.
 */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sbuf.h"

struct json {
	struct sbuf	out;	/* full: the text is no use */
	bool		comma;	/* the next value needs one before it */
};

/* The text stays NUL-terminated.  key NULL: an element of an array. */
void	 json_init(struct json *, char *, size_t);
void	 json_object(struct json *, const char *key);
void	 json_object_end(struct json *);
void	 json_array(struct json *, const char *key);
void	 json_array_end(struct json *);
/* NULL becomes null. */
void	 json_string(struct json *, const char *key, const char *);
/* At most so many bytes between the quotes: the rest is cut, "..." says so. */
void	 json_string_max(struct json *, const char *key, const char *, size_t);
void	 json_number(struct json *, const char *key, uint64_t);
void	 json_null(struct json *, const char *key);
void	 json_bool(struct json *, const char *key, bool);

#endif /* JSON_H */
