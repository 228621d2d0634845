package fsapi

import "testing"

func TestAtoi(t *testing.T) {
	for word, want := range map[string]int{
		"": 0, "7": 7, "+7": 7, "-7": -7, " \t7x9": 7, "x7": 0, "--7": 0, "+-7": 0, "+": 0, "-0": 0, "4294967297": 1, "-4294967295": 1, "2147483648": -2147483648,
		"99999999999": 1215752191, "99999999999999999999": -1, "-99999999999999999999": 0, "9223372036854775807": -1,
	} {
		if got := atoi(word); got != want {
			t.Errorf("%q: %d, want %d", word, got, want)
		}
	}
}

// TestNumbersAsTheSwitchReadsThem has the answers of a real 1.11.1.
func TestNumbersAsTheSwitchReadsThem(t *testing.T) {
	bubble(t, func(r *rig) {
		r.call("3001", "1001", nil)
		for _, row := range []struct{ line, want string }{
			{"mute +1", "+OK mute 1\n"},
			{"mute -1", "-ERR Non-Existant ID 4294967295\n"},
			{"mute 99999999999999999999", "-ERR Non-Existant ID 4294967295\n"},
			{"mute 4294967297", "+OK mute 1\n"},
			{"mute 2147483648", "-ERR Non-Existant ID 2147483648\n"},
			{"mute ' 1'", "+OK mute 1\n"},
			{"mute --1", "mute <[member_id|all]|last|non_moderator> [<quiet>]"},
			{"mute +1=", "+OK mute 1\n"},
			{"volume_out -1", "-ERR Non-Existant ID 4294967295\n"},
			{"volume_out 1 99999999999", "+OK Volume OUT 1 = 4\n"},
			{"volume_out 1 4294967295", "+OK Volume OUT 1 = -1\n"},
			{"volume_out 1 +-2", "+OK Volume OUT 1 = 0\n"},
			{"volume_out 1 +2", "+OK Volume OUT 1 = 2\n"},
			{"energy 1 99999999999", "Energy 1 = 1215752191\n"},
			{"energy 1 -5", "Energy 1 = -5\n"},
			{"set max_members +3", "0"},
			{"get max_members", "3"},
			{"set max_members ++3", "3"},
			{"get max_members", "0"},
			{"set max_members -1", "set <max_members|sound_prefix|caller_id_name|caller_id_number|endconference_grace_time> <value>"},
			{"relate -1 2 nospeak", "-ERR relationship 4294967295->2 not found.\n"},
			{"relate 1 -2 nospeak", "-ERR relationship 1->4294967294 not found.\n"},
			{"saymember -1 x", "-ERR (saymember) Unknown Member -1!\nsaymember <member_id> <text>"},
			{"stop all +1", "+OK Stopped 0 files.\n"},
			{"get-uuid -1", "-ERR Non-Existant ID 4294967295\n"},
			{"kick -1", "-ERR Non-Existant ID 4294967295\n"},
		} {
			r.says("conference 3001 "+row.line, row.want)
		}
	})
}

// TestASeparatorInDoubleQuotes is what stands before the next, and a blank there
// parts the word: so it is at the switch.
func TestASeparatorInDoubleQuotes(t *testing.T) {
	for word, want := range map[string]string{`"|"`: "|", `"`: "", `"a`: "a", "|": "|", " ": " ", `"a"b`: "a"} {
		if how, _ := style([]string{"DELIM", word}); how.Delimiter != want {
			t.Errorf("%s: %q, want %q", word, how.Delimiter, want)
		}
	}
}
