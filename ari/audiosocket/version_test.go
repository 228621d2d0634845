package audiosocket

import "testing"

func TestWide(t *testing.T) {
	for version, want := range map[string]bool{
		"22.10.1+dfsg+~cs6.17.60671434-1": true,
		"20.16.0":                         false,
		"20.17.0":                         true,
		"21.11.2":                         false,
		"21.12.0":                         true,
		"22.6.0":                          false,
		"22.7.0-rc1":                      true,
		"23.0.0":                          false,
		"23.1.0":                          true,
		"24.0.0":                          true,
		"18.26.4":                         false,
		"certified-20.7-cert8":            false,
		"GIT-master-0a1b2c3":              false,
		"":                                false,
	} {
		if Wide(version) != want {
			t.Errorf("%q: %v, want %v", version, !want, want)
		}
	}
}
