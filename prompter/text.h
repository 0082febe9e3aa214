/*
 * SPDX-License-Identifier: ISC
 *
 * Text that strangers chose, made safe to show: host names from packets,
 * paths and arguments of any program.  What comes out is printable ASCII.
 * Pure: no descriptors, globals or clock.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most that one byte of input can become. */
#define TEXT_ESCAPE_MAX	10	/* \U0010ffff, for four bytes */

/*
 * Printable ASCII stays; a backslash becomes \\, a byte that is no part of
 * well-formed UTF-8, and every control, \xNN, any other character \uNNNN or
 * \UNNNNNNNN.  Always terminates, never cuts an escape.  Returns the length
 * it would have needed.
 */
size_t	 text_escape(char *, size_t, const char *, size_t);
/*
 * For lines that are escaped by their own grammar, as rules are: backslashes
 * stay single, what is not printable ASCII becomes \xNN.
 */
size_t	 text_printable(char *, size_t, const char *, size_t);

/*
 * Copies escaped text into at most so many columns (size - 1 at most).  What
 * does not fit is replaced by "..." in the middle; the tail gets so many
 * percent of the room.  Escapes are never cut.
 */
void	 text_elide(char *, size_t, const char *, size_t cols,
	    unsigned int tail);
/* For names: their end says whose they are. */
#define TEXT_TAIL_HOST	70
/* For paths: folder and file alike. */
#define TEXT_TAIL_PATH	60
#define TEXT_TAIL_ARGS	35

/*
 * Joins arguments, each followed by NUL, with spaces.  One that a shell would
 * not take as it stands is put between single quotes, and escaped, so that
 * two argument lists never look alike.  cut: there were more.
 */
void	 text_args(char *, size_t, const char *, size_t, bool cut);
/*
 * The first argument says nothing when it is the program's path or its last
 * component: returns how many bytes of the arguments to skip then, else 0.
 */
size_t	 text_args_skip(const char *exe, const char *args, size_t len);

/*
 * Where among the arguments the script of an interpreter stands, and how many
 * bytes it has; 0: there is none.  Only directly behind the program's name:
 * behind an option it might be the option's value, and is not guessed.
 */
size_t	 text_script(const char *exe, const char *args, size_t len,
	    size_t *at);

/* "57 seconds until DENY"; a part of a second counts as one. */
void	 text_countdown(char *, size_t, uint64_t left_ms, const char *action);
/* "0.4 s", "12 s", "3 min", "2 h". */
void	 text_age(char *, size_t, uint64_t ms);
/* "tcp", "udp", ..., or "protocol 89". */
void	 text_proto(char *, size_t, uint8_t);
/*
 * Where to break text that does not fit a line: bytes to put on this line,
 * at a space if there is one in the last third, never inside an escape.
 */
size_t	 text_break(const char *, size_t cols);

#endif /* TEXT_H */
