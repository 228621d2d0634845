package trouble

// Difference is something that a switch and we do not see alike.
type Difference struct {
	Switch string `json:"switch"`
	Room   string `json:"room"`
	Call   string `json:"call,omitempty"`
	Text   string `json:"text"`
}
