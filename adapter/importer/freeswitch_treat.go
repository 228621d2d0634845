package importer

import (
	"math"
	"strconv"
	"strings"

	"parley/esl/conference"
)

// treatRules are what mod_conference does to voices.
func treatRules() map[string]fsRule {
	loud := fsRule{kind: Lost, text: "Parley does not mute one who shouts.", off: "0"}
	gain := fsRule{kind: Unneeded, text: "agc of Parley has no numbers."}
	return map[string]fsRule{
		"energy-level":               {to: (*profile).energy},
		"auto-energy-level":          {to: (*profile).autoEnergy},
		"auto-energy-seconds":        {kind: Unneeded, text: "It is only for auto-energy-level, which Parley's gate does in its own time."},
		"max-energy-level":           loud,
		"max-energy-hit-trigger":     {kind: Unneeded, text: "It is only for max-energy-level."},
		"max-energy-level-mute-ms":   {kind: Unneeded, text: "It is only for max-energy-level."},
		"auto-gain-level":            {to: (*profile).gain},
		"auto-gain-low-energy-level": gain,
		"auto-gain-margin":           gain,
		"auto-gain-change-factor":    gain,
		"auto-gain-period-len":       gain,
		"comfort-noise":              {to: (*profile).noise},
	}
}

// Limits of gate and comfort_noise, in dBov.
const (
	lowestLevel  = -90
	highestGate  = -20
	highestNoise = -40
)

// energy maps a level of energy to the gate that opens there. mod_conference
// reads a number as far as it goes, and a text as 0: there is no gate.
func (p *profile) energy(at param) error {
	n := leading(at.value)
	if auto, ok := p.params["auto-energy-level"]; ok && leading(auto.value) > 0 {
		p.report(at, Differs, "%s", gateAuto)
		return nil
	}
	if n <= 0 {
		p.set("gate", quoted("off"), at.from())
		return nil
	}
	level := int(math.Round(conference.GateLevel(n)))
	p.set("gate", number(max(lowestLevel, min(level, highestGate))), at.from())
	if level > highestGate {
		p.report(at, Differs, "%d dBov is the most.", highestGate)
	}
	return nil
}

func (p *profile) autoEnergy(at param) error {
	if leading(at.value) > 0 {
		p.set("gate", plain("auto"), at.from())
		p.report(at, Differs, "%s", gateAuto)
	}
	return nil
}

func (p *profile) gain(at param) error {
	if leading(at.value) > 0 {
		p.set("agc", plain("true"), at.from())
		p.report(at, Differs, "Every voice is brought to -26 dBov, whatever the number.")
	}
	return nil
}

// noise maps the number that mod_conference divides its noise by. That is
// evenly spread over 16 bits, and divided once more for each 8,000 of the rate.
func (p *profile) noise(at param) error {
	n := leading(at.value)
	switch {
	case n > 1 && n < 10_000:
	case isTrue(at.value) || n != 0: // a number out of its limits means no more than true
		n = 1400
	default:
		return nil
	}
	factor := max(1, leading(p.params["rate"].value)/8000)
	level := int(math.Round(20 * math.Log10(1/math.Sqrt(3)/float64(n*factor))))
	p.set("comfort_noise", number(max(lowestLevel, min(level, highestNoise))), at.from())
	p.report(at, Differs, "There it is heard where nobody talks; here it is under the voices, too.")
	return nil
}

// leading is the number that a text begins with, 0 without one.
func leading(text string) int {
	text = strings.TrimSpace(text)
	end := 0
	for end < len(text) && (text[end] >= '0' && text[end] <= '9' || end == 0 && strings.Contains("+-", text[:1])) {
		end++
	}
	n, _ := strconv.ParseInt(text[:end], 10, 32) // beyond that the nearest that fits
	return int(n)
}
