# SPDX-License-Identifier: ISC
#
# See calls.sh.  The first file is the table of library functions, the second
# that of the filters, the third what objdump says of each file: its name, C
# and a line of code, or D and a line of relocations.

# A relocation's symbol without its offset; other sections' are no functions.
function symbol(s)
{
	sub(/[-+]0x[0-9a-f]+$/, "", s)
	sub(/^\.text\./, "", s)
	return s ~ /^\./ ? "" : s
}

FNR == 1 { part++ }
part == 1 && NF > 1 && !/^#/ {
	if ($1 == "before")
		before[$2] = 1
	else if ($1 == "never") {
		if ($2 == role)
			never[$3] = 1
	} else {
		known[$1] = 1
		for (i = 2; i <= NF && $i != "#"; i++)
			if ($i != "-")
				made[$1] = made[$1] " " $i
	}
}
part == 2 && ($1 == role || ($1 == "common" && role != "parent")) {
	allowed[$2] = 1
}
part == 3 && $2 == "C" && NF == 4 && $4 ~ /^<.*>:$/ {
	caller = $1 ":" substr($4, 2, length($4) - 3)
	defined[caller] = 1
	name = caller
	sub(/^[^:]*:/, "", name)
	where[name] = $1
	inside = 0
}
part == 3 && $2 == "C" && $3 ~ /^[0-9a-f]+:$/ && $4 !~ /^R_/ { op = $4 }
part == 3 && $2 == "C" && $4 ~ /^R_/ {
	to = symbol($5)
	if (to == "")
		next
	if (to ~ "^sandbox_(" role "|check_only)$" && op == "call" &&
	    $1 !~ /^sandbox%/) {
		inside = 1
		next
	}
	n++
	from[n] = caller
	file[n] = $1
	target[n] = to
	taken[n] = op != "call" && op != "jmp"
	after[n] = inside
}
part == 3 && $2 == "D" && /RELOCATION RECORDS/ {
	data = $0 ~ /\[\.(data|rodata)/
}
part == 3 && $2 == "D" && NF == 6 && $5 ~ /^[BCDRV]$/ { variable[$6] = 1 }
part == 3 && $2 == "D" && data && $4 == "R_X86_64_64" {
	to = symbol($5)
	if (to != "") {
		n++
		from[n] = "a table"
		file[n] = $1
		target[n] = to
		taken[n] = 1
		after[n] = 0
	}
}

# A file's own function comes before another's of that name.
function resolve(i,	name)
{
	name = file[i] ":" target[i]
	if (name in defined)
		return name
	return target[i] in where ? where[target[i]] ":" target[i] : ""
}

function reach(name, by)
{
	if (name == "" || name in reached)
		return
	target_name = name
	sub(/^[^:]*:/, "", target_name)
	if (target_name in never)
		return
	reached[name] = by
	queue[++last] = name
}

function pattern(name,	k)
{
	for (k in known)
		if (k ~ /\*$/ && index(name, substr(k, 1, length(k) - 1)) == 1)
			return k
	return ""
}

function place(name)
{
	gsub(/%/, "/", name)
	sub(/:/, ": ", name)
	return name
}

function library(name, by,	key, calls, m, j)	# the rest are locals
{
	if (name in variable)
		return
	key = name in known ? name : pattern(name)
	if (key == "") {
		if (!((name, by) in said))
			print role ": " place(by) " calls " name \
			    ", which has no line in regress/calls"
		said[name, by] = 1
		return
	}
	m = split(made[key], calls, " ")
	for (j = 1; j <= m; j++)
		if (substr(calls[j], 1, 1) == "=")
			library(substr(calls[j], 2), by)
		else if (!(calls[j] in allowed))
			print role ": " place(by) " calls " name ", and so " \
			    calls[j] ", which its filter lacks"
}

END {
	for (i = 1; i <= n; i++) {
		to = resolve(i)
		uses[from[i]] = uses[from[i]] " " i
		if (to != "" && (after[i] || taken[i]) && !(target[i] in before))
			reach(to, from[i])
		if (to == "" && after[i])
			library(target[i], from[i])
	}
	for (next_one = 1; next_one <= last; next_one++) {
		m = split(uses[queue[next_one]], list, " ")
		for (j = 1; j <= m; j++) {
			i = list[j]
			to = resolve(i)
			if (to != "")
				reach(to, queue[next_one])
			else
				library(target[i], queue[next_one])
		}
	}
	if (last < 20)
		print role ": only " last + 0 " functions found"
	if (verbose)
		for (i in reached)
			print role, i, "from", reached[i] >"/dev/stderr"
}
