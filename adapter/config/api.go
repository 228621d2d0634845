package config

import "go.yaml.in/yaml/v3"

// API is where a running Parley takes commands, and what it wants to see for it.
type API struct {
	Listen string // HOST:PORT
	Token  Secret // Empty: none is asked
}

// LoadAPI reads of a configuration only what who commands a running Parley needs
// to know: http.listen, auth.tokens and their environment. Whatever else is wrong
// there does not matter. The error is a Problems about these.
func LoadAPI(src Source) (API, error) {
	l := newLoader()
	main := &document{report: &l.report, menus: l.menus}
	if path := l.find(src); path != "" {
		l.open(path)
		if len(l.docs) == 0 || l.docs[0].root == nil && len(l.problems) > 0 {
			return API{}, l.err()
		}
		main = l.docs[0]
	}
	l.report = report{}
	main.root = narrowed(main.root, "http", "auth")
	var listen []field
	for _, f := range settings(l.config) {
		if f.name == "http.listen" {
			listen = append(listen, f)
		}
	}
	if err := readFields(main, l.config, listen); err != nil {
		return API{}, err
	}
	l.tokens(main)
	if err := l.err(); err != nil {
		return API{}, err
	}
	api := API{Listen: l.config.HTTP.Listen}
	if tokens := l.config.Auth.Tokens; len(tokens) > 0 {
		api.Token = tokens[0].Token
	}
	return api, nil
}

// narrowed is a mapping without other keys than these.
func narrowed(m *yaml.Node, keys ...string) *yaml.Node {
	if m == nil {
		return nil
	}
	some := *m
	some.Content = nil
	for i := 0; i+1 < len(m.Content); i += 2 {
		for _, k := range keys {
			if m.Content[i].Value == k {
				some.Content = append(some.Content, m.Content[i], m.Content[i+1])
			}
		}
	}
	return &some
}
