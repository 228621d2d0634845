package esl

import "strings"

// SplitItems takes a list apart at sep the way the switch does, in arguments of
// its commands and in lists of variables: a backslash escapes, single quotes
// group, blanks around an item are cut off.
func SplitItems(list string, sep byte) []string {
	var items []string
	start, quoted := 0, false
	for i := 0; i < len(list); i++ {
		switch c := list[i]; {
		case c == '\\':
			i++
		case c == '\'' && (quoted || strings.IndexByte(list[i+1:], '\'') >= 0):
			quoted = !quoted
		case c == sep && !quoted:
			items = append(items, cleanItem(list[start:i], sep))
			start = i + 1
		}
	}
	return append(items, cleanItem(list[start:], sep))
}

// escapes are the letters that mean something after a backslash.
//
//nolint:gochecknoglobals // a table, never written after it was built
var escapes = strings.NewReplacer("n", "\n", "r", "\r", "t", "\t", "s", " ")

// SplitList is SplitItems of a list that may say itself what parts it: "^^:" in
// front of one has ":" in place of sep. Nothing behind the last of them is no item.
func SplitList(list string, sep byte) []string {
	if rest, ok := strings.CutPrefix(list, "^^"); ok && len(rest) > 1 {
		sep, list = rest[0], rest[1:]
	}
	items := SplitItems(list, sep)
	if last := len(items) - 1; items[last] == "" {
		items = items[:last]
	}
	return items
}

func cleanItem(item string, sep byte) string {
	item = strings.TrimLeft(item, " ")
	var b strings.Builder
	keep, quoted := 0, false // keep: length up to the last byte that is no trailing blank
	for i := 0; i < len(item); i++ {
		c := item[i]
		if c == '\\' && i+1 < len(item) {
			next := string(item[i+1])
			if plain := escapes.Replace(next); plain != next || strings.ContainsAny(next, `'"\`+string(sep)) {
				b.WriteString(plain)
				keep = b.Len()
				i++
				continue
			}
		}
		if c == '\'' && (quoted || strings.IndexByte(item[i+1:], '\'') >= 0) {
			quoted = !quoted
			continue
		}
		b.WriteByte(c)
		if c != ' ' || quoted {
			keep = b.Len()
		}
	}
	return b.String()[:keep]
}
