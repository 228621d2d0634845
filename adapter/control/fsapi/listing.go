package fsapi

import (
	"fmt"
	"slices"
	"strings"

	"parley/esl"
)

// listing is what "show" prints.
type listing struct {
	names   string // of its columns
	rows    [][]string
	counted bool // how many there are is all that is asked
}

// keep leaves the channels that are like a word.
func (l *listing) keep(word string) {
	pattern := strings.NewReplacer("'", " ", ";", " ").Replace(word)
	if !strings.Contains(pattern, "%") {
		pattern = "%" + pattern + "%"
	}
	l.rows = slices.DeleteFunc(l.rows, func(row []string) bool {
		return !slices.ContainsFunc(pick(row, likeColumns), func(value string) bool { return like(value, pattern) })
	})
}

// like is that of SQL: "%" is any text and "_" a character, and a letter of ASCII
// is the same in either case.
func like(text, pattern string) bool {
	t, p := []rune(lower(text)), []rune(lower(pattern))
	at, next := 0, 0   // in t and p
	from, any := 0, -1 // where the last "%" stands, and from where on it has to be tried again
	for at < len(t) {
		switch {
		case next < len(p) && p[next] == '%':
			from, any = at, next
			next++
		case next < len(p) && (p[next] == '_' || p[next] == t[at]):
			at++
			next++
		case any >= 0:
			from++
			at, next = from, any+1
		default:
			return false
		}
	}
	return strings.Trim(string(p[next:]), "%") == ""
}

// lower makes small letters of those of ASCII.
func lower(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, text)
}

// show prints it in the format that is asked for behind "as", if that
// stands there. A separator is the fourth word, whatever comes before it.
func (l *listing) show(words []string, as int) string {
	format, delimiter := "csv", ","
	if len(words) > as+1 && strings.EqualFold(words[as], "as") {
		format = words[as+1]
		if len(words) > 3 {
			delimiter = words[3]
		}
	}
	switch strings.ToLower(format) {
	case "json":
		return l.json()
	case "xml":
		return l.xml()
	case "csv", "delim":
		return l.csv(delimiter)
	}
	return "-ERR Cannot find format " + format + "\n"
}

func (l *listing) csv(delimiter string) string {
	var b strings.Builder
	if !l.counted && len(l.rows) > 0 {
		b.WriteString(strings.Join(strings.Fields(l.names), delimiter) + "\n")
		for _, row := range l.rows {
			b.WriteString(strings.Join(row, delimiter) + "\n")
		}
	}
	fmt.Fprintf(&b, "\n%d total.\n", len(l.rows))
	return b.String()
}

func (l *listing) json() string {
	if !l.counted && len(l.rows) == 0 {
		return "{\"row_count\": 0}\n"
	}
	var objects []string
	if !l.counted {
		objects = l.objects()
	}
	return fmt.Sprintf("{\"row_count\":%d,\"rows\":[%s]}", len(l.rows), strings.Join(objects, ","))
}

func (l *listing) objects() []string {
	names, objects := strings.Fields(l.names), make([]string, len(l.rows))
	for i, row := range l.rows {
		pairs := make([]string, len(row))
		for k, v := range row {
			pairs[k] = esl.Quote(names[k]) + ":" + esl.Quote(v)
		}
		objects[i] = "{" + strings.Join(pairs, ",") + "}"
	}
	return objects
}

func (l *listing) xml() string {
	if l.counted {
		return fmt.Sprintf("<result row_count=\"%d\"></result>\n", len(l.rows))
	}
	if len(l.rows) == 0 {
		return "<result row_count=\"0\"/>\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "<result row_count=\"%d\">\n", len(l.rows))
	names := strings.Fields(l.names)
	for i, row := range l.rows {
		fmt.Fprintf(&b, "  <row row_id=\"%d\">\n", i+1)
		for k, v := range row {
			fmt.Fprintf(&b, "    <%s>%s</%s>\n", names[k], esl.EscapeXML(v), names[k])
		}
		b.WriteString("  </row>\n")
	}
	b.WriteString("</result>\n")
	return b.String()
}
