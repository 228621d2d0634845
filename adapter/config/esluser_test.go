package config

import "testing"

// TestWordsOfUsersOfTheEventSocket: what is misspelt would refuse all there is.
func TestWordsOfUsersOfTheEventSocket(t *testing.T) {
	write(t, "parley.yaml", `esl_server:
  users:
    - name: a@b
      password: x
      api: [conference, confrence,
        SHOW]
      events: ["conference::maintenance", "conference::maintainance", my::class,
        CHANEL_CREATE, heartbeat, nonsense]
    - {name: c@d, password: x, api: "show shwo"}
    - {name: e@f, password: x}
`)
	src := Source{Commands: []string{"conference", "show"}, Events: []string{"CHANNEL_CREATE", "HEARTBEAT", "conference::maintenance"}}
	_, warnings, err := Load(src)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, "warnings", texts(warnings), []string{
		`parley.yaml:5: ESL user a@b: there is no command "confrence", did you mean "conference"? [unknown_command]`,
		`parley.yaml:7: ESL user a@b: there is no event "conference::maintainance", did you mean "conference::maintenance"? [unknown_event]`,
		`parley.yaml:8: ESL user a@b: there is no event "CHANEL_CREATE", did you mean "CHANNEL_CREATE"? [unknown_event]`,
		`parley.yaml:8: ESL user a@b: there is no event "nonsense". [unknown_event]`,
		`parley.yaml:9: ESL user c@d: there is no command "shwo", did you mean "show"? [unknown_command]`,
	})
	if _, warnings, err = Load(Source{}); err != nil || len(warnings) > 0 {
		t.Errorf("where any is known: %v %v", warnings, err)
	}
}
