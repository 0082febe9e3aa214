# SPDX-License-Identifier: ISC
#
# bench.sh's measurements as a table: medians, and ratios within a round with
# their budgets.

function median(v, n,    i, j, t)
{
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && v[j - 1] > v[j]; j--) {
			t = v[j]
			v[j] = v[j - 1]
			v[j - 1] = t
		}
	if (n == 0)
		return 0
	return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}

function middle(field, a, w,    r, n, v)
{
	for (r = 1; r <= rounds; r++)
		if ((r, a, w, field) in x)
			v[++n] = x[r, a, w, field]
	return median(v, n)
}

function ratio(field, a, b, w,    r, n, v)
{
	for (r = 1; r <= rounds; r++)
		if (x[r, b, w, field] > 0 && (r, a, w, field) in x)
			v[++n] = x[r, a, w, field] / x[r, b, w, field]
	return median(v, n)
}

# less: as much at most; else as much at least.
function row(what, figure, less, budget)
{
	printf "%-52s%10.2f %-4s %s%8.2f%s\n", what, figure, "x",
	    less ? "<" : ">", budget,
	    (less ? figure > budget : figure < budget) ? "  MISSED" : ""
}

{
	x[$1, $2, $3, "rate"] = $5
	x[$1, $2, $3, "p50"] = $7
	x[$1, $2, $3, "cpu"] = $17
	failed[$2] += $15
}

END {
	if (NR == 0)
		exit
	n = split("tcp64 udp64 tcp64v6 udp64v6 tcp1 udp1", work, " ")
	m = split("none floor drain lock snitch " names, arr, " ")
	printf "medians of %d rounds: connections a second, 64 in flight; " \
	    "one at a time (1), microseconds\n%-8s", rounds, ""
	for (j = 1; j <= m; j++)
		printf "%12s", arr[j]
	for (i = 1; i <= n; i++) {
		f = work[i] ~ /64/ ? "rate" : "p50"
		printf "\n%-8s", work[i]
		for (j = 1; j <= m; j++)
			printf "%12.0f", middle(f, arr[j], work[i])
	}
	printf "\n%-8s", "failed"
	for (j = 1; j <= m; j++)
		printf "%12d", failed[arr[j]]

	printf "\n\n%-52s%10s %-4s%10s\n", "ratios within a round", "", "",
	    "budget"
	for (i = 1; i <= n; i++) {
		w = work[i]
		if (w ~ /64/) {
			row(w ": rate, beside floor",
			    ratio("rate", "snitch", "floor", w), 0, 0.85)
			row(w ": rate, beside drain",
			    ratio("rate", "snitch", "drain", w), 0, 0.9)
			row(w ": processor time, beside drain",
			    ratio("cpu", "snitch", "drain", w), 1, 1.5)
		} else
			row(w ": p50, beside lock",
			    ratio("p50", "snitch", "lock", w), 1, 1.2)
	}
	k = split(variants, var, " ")
	for (i = 1; i <= k; i++) {
		v = var[i]
		if (v ~ /^floor/ || !((1, v, "tcp64", "rate") in x))
			continue
		# Among 5,000 processes everybody is slower.
		if (v == "procs5000") {
			row(v ": tcp64 rate, beside floor among them",
			    ratio("rate", v, "floor5000", "tcp64"), 0, 0.85)
			row(v ": udp64 rate",
			    ratio("rate", v, "floor5000", "udp64"), 0, 0.85)
			row(v ": tcp64 processor time",
			    ratio("cpu", v, "floor5000", "tcp64"), 1, 1.5)
			continue
		}
		row(v ": tcp64 rate, beside 2 rules",
		    ratio("rate", v, "snitch", "tcp64"), 0, 0.9)
		row(v ": udp64 rate", ratio("rate", v, "snitch", "udp64"),
		    0, 0.9)
		row(v ": tcp1 p50", ratio("p50", v, "snitch", "tcp1"), 1, 1.1)
		row(v ": tcp64 processor time",
		    ratio("cpu", v, "snitch", "tcp64"), 1, 1.1)
	}
	printf "\nprocessor time for 10,000 connections, ms\n%-8s", ""
	for (j = 2; j <= m; j++)
		printf "%12s", arr[j]
	for (i = 1; i <= n; i++) {
		printf "\n%-8s", work[i]
		for (j = 2; j <= m; j++)
			printf "%12.0f", middle("cpu", arr[j], work[i]) / 100
	}
	print ""
}
