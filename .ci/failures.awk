# What the failed tests of a `go test` log have said, and panics and races: the
# end of a long log in a few lines. Works with -v and without.

function keep(line) { said[test] = said[test] "    " substr(line, 1, 400) "\n" }

/^=== (RUN|NAME|CONT|PAUSE) / { test = $3; more = 0; next }
/^ *--- FAIL: / { test = $3; failed[++n] = test; more = 0; next }
/^ *--- / { test = ""; more = 0; next }
/^FAIL$/ { next }
/^(panic:|fatal error:|WARNING: DATA RACE|FAIL\t|.*\[build failed\])/ { loose = loose substr($0, 1, 400) "\n"; next }
/^ +[A-Za-z0-9_]+\.go:[0-9]+: / { more = /log(, last lines)?:$/ ? 0 : 4; keep($0); next }
more > 0 { more--; keep($0) }

END {
	for (i = 1; i <= n; i++) printf "%s\n%s", failed[i], said[failed[i]]
	printf "%s", loose
}
