// Package config reads Parley's configuration: one YAML file, the files of
// profiles.d and rooms.d beside it, and the environment.
//
// Load returns one typed, checked value, or every problem there is, each with
// its file, line and code. A Config is never changed after Load: a reload is a
// second Load, and Diff says what is different.
//
// Every key is written once, in a table of fields (settings, profileFields,
// switchFields …). Reading, defaults, the environment, Dump and Diff all go
// through these tables.
package config

import (
	"log/slog"
	"net/netip"
	"path/filepath"
	"slices"
	"time"

	"parley/engine"
)

// Config is a whole configuration, checked. Its fields are the keys of
// configs/parley.yaml, which explains them. It is not changed after Load.
type Config struct {
	Files []string // read for it, the main one first; none = built-in defaults

	Language   string
	SoundsDir  string        // "" = built-in sounds only
	StateDir   string        // not yet made
	RecordDir  string        // "" = recordings below StateDir; see Recordings
	Reattach   time.Duration // how long callers may come back; 0 = not at all
	TTSCommand []string      // none = no say:

	SIP         SIP
	RTP         RTP
	Media       Media
	FreeSWITCH  FreeSWITCH
	Asterisk    Asterisk
	AudioSocket AudioSocket
	HTTP        HTTP
	ESLServer   ESLServer
	Auth        Auth
	ARIServer   ARIServer
	Dial        Dial
	Limits      Limits
	Throttle    Throttle
	Log         Log

	Switches []Switch
	Controls []engine.Controls // the built-in "default" and "moderator" always among them
	Profiles []engine.Profile  // "default" always among them
	Rooms    []Room

	patches map[string]patch  // of Profiles, by name
	origins map[string]string // where the settings that are not the default stand, by key
}

// Recordings is the folder of the recordings. It need not be there yet.
func (c *Config) Recordings() string {
	if c.RecordDir == "" {
		return filepath.Join(c.StateDir, "recordings")
	}
	return c.RecordDir
}

// SIP is our SIP endpoint.
type SIP struct {
	Listen         string         // HOST:PORT
	Transports     []string       // "udp", "tcp"
	Advertise      string         // HOST or HOST:PORT that peers are told; "" = the local address
	Realm          string         // of digest authentication
	Users          []User         // none = callers are not asked
	Trunks         []Trunk        // that calls go out by
	Trusted        []netip.Prefix // who need not log in, and whose X-Parley-* headers may say anything
	Codecs         []string       // encoding names in order of preference
	OpusFEC        bool           // send redundancy to those who ask for it
	RatePerSource  int            // requests per second from one address, in the long run
	BurstPerSource int            // and at once
}

// User is a SIP caller known by digest authentication.
type User struct {
	Name     string
	Password Secret
}

// Trunk is where calls go out to, besides switches.
type Trunk struct {
	Name         string
	Address      string // HOST or HOST:PORT
	Transport    string // "udp" or "tcp"
	User         string // that answers a challenge; "" = none is answered
	Password     Secret
	CallerNumber string // shown when the order names none
}

// RTP is where our audio sockets are.
type RTP struct {
	Bind   string // IP address; "" = the host of SIP.Listen
	Ports  Ports
	Shared bool // calls of a host that is where it says share ports
}

// Ports is a range of UDP ports, both ends in it.
type Ports struct{ First, Last int }

// Media is what happens to audio on its way.
type Media struct {
	Advertise string        // IP address in our SDP; "" = the local address
	Jitter    time.Duration // audio held back until the arrivals are known
	JitterMax time.Duration // the most it may become
	Levels    bool          // in RTP headers, with who offers them
	Timeout   time.Duration // a leg without any media for this long is lost; 0 = never
}

// FreeSWITCH is how FreeSWITCH dialplans reach us.
type FreeSWITCH struct {
	Listen     string         // HOST:PORT for the socket application
	ACL        []netip.Prefix // who may connect beside this machine and Switches; none = everybody
	DialString string         // the bridge to our SIP endpoint; {profile}, {token} and {address} are filled in
	Token      time.Duration  // how long a token is good
}

// Asterisk is how we have an Asterisk send audio by other ways than AudioSocket.
type Asterisk struct {
	DialString string // the call to our SIP endpoint; {token} and {address} are filled in
}

// AudioSocket is where Asterisk sends audio.
type AudioSocket struct {
	Listen    string // HOST:PORT
	Advertise string // HOST:PORT that Asterisk is told; "" = Listen
}

// HTTP is the API, the health pages and the metrics.
type HTTP struct {
	Listen string // HOST:PORT
}

// ESLServer is where we answer as a FreeSWITCH's event socket.
type ESLServer struct {
	Listen       string // HOST:PORT; "" = we do not
	Password     Secret
	PasswordFile string         // instead of Password; "" = none
	ACL          []netip.Prefix // who may connect; none = everybody
	Users        []ESLUser      // of "userauth"
}

// ESLUser is one who logs in by "userauth".
type ESLUser struct {
	Name     string // USER@DOMAIN
	Password Secret
	API      []string // commands; none = all
	Events   []string // names and subclasses; none = all
	Log      bool
}

// DefaultESLPassword is FreeSWITCH's own, which everybody knows.
const DefaultESLPassword = "ClueCon"

// Auth is who may use the API.
type Auth struct {
	Tokens []Token // none = nobody is asked, which is allowed on loopback only
}

// Token is one API client.
type Token struct {
	Name  string
	Token Secret
}

// ARIServer is what clients of Asterisk's REST interface find under /ari.
type ARIServer struct {
	App   string    // application of calls that no client has ordered
	Users []ARIUser // none = there is no such interface
}

// ARIUser is one of its clients.
type ARIUser struct {
	Name     string
	Password Secret
	ReadOnly bool
}

// Dial is about the calls that we make.
type Dial struct {
	Timeout    time.Duration // for a party to answer, when the order names none
	MaxPerRoom int           // at one time
	Number     string        // address of a bare number, with {number}; "" = it cannot be called
}

// Limits of the whole process.
type Limits struct {
	MaxLegs  int // calls at one time; 0 = no limit
	MaxRooms int // rooms at one time
}

// Throttle is the brake on guessing PINs.
type Throttle struct {
	Failures     int // of one source
	RoomFailures int // of all callers of one switch at one room
	Period       time.Duration
}

// Log is how we log to stderr.
type Log struct {
	Level  slog.Level
	Format string // "text" or "json"
}

// Kind is the make of a switch.
type Kind string

// The kinds of switches.
const (
	KindAsterisk   Kind = "asterisk"
	KindFreeSWITCH Kind = "freeswitch"
)

// WebSocket is which way a connection for events is made, as Asterisk sees it.
type WebSocket string

// The ways.
const (
	WebSocketInbound  WebSocket = "inbound"  // we connect to Asterisk
	WebSocketOutbound WebSocket = "outbound" // Asterisk connects to us
)

// Switch is a PBX that we connect to.
type Switch struct {
	Name string
	Kind Kind
	ARI  string // Asterisk: base URL, e.g. http://127.0.0.1:8088/ari
	App  string // Asterisk: our Stasis application
	User string // Asterisk: of ari.conf
	// Asterisk: which way the connection for events is made
	WebSocket WebSocket
	ESL       string // FreeSWITCH: HOST:PORT of mod_event_socket
	Password  Secret
	// Asterisk's manager interface, to take ConfBridge rooms over; "" = none
	AMI         string // HOST:PORT
	AMIUser     string
	AMIPassword Secret
}

// Room is a room that the configuration names.
type Room struct {
	Name    engine.RoomName
	Title   string
	Profile string
	own     patch
}

// Apply lays the room's own settings over a profile.
func (r Room) Apply(p *engine.Profile) *engine.Profile { return r.own.over(p) }

// Defaults is the configuration of a Parley without a file.
func Defaults() *Config {
	c := settingDefaults()
	c.Controls = builtinMenus()
	c.Profiles = []engine.Profile{baseProfile(c.Language, c.Controls)}
	return c
}

func settingDefaults() *Config {
	return &Config{
		patches: map[string]patch{}, origins: map[string]string{},
		Language: "en",
		StateDir: "./var", Reattach: 30 * time.Second,
		SIP: SIP{
			Listen: "127.0.0.1:5070", Transports: []string{"udp", "tcp"}, Realm: "parley",
			Codecs: []string{"opus", "G722", "PCMU", "PCMA", "L16"}, RatePerSource: 100, BurstPerSource: 200,
			Trusted: thisMachine(),
		},
		RTP:   RTP{Ports: Ports{40000, 44999}, Shared: true},
		Media: Media{Levels: true, JitterMax: 200 * time.Millisecond, Timeout: 30 * time.Second},
		FreeSWITCH: FreeSWITCH{
			Listen: "127.0.0.1:8084", ACL: thisMachine(), DialString: "sofia/{profile}/{token}@{address}", Token: 30 * time.Second,
		},
		Asterisk:    Asterisk{DialString: "PJSIP/parley/sip:{token}@{address}"},
		AudioSocket: AudioSocket{Listen: "127.0.0.1:8086"},
		HTTP:        HTTP{Listen: "127.0.0.1:8085"},
		ARIServer:   ARIServer{App: "parley"},
		Dial:        Dial{Timeout: time.Minute, MaxPerRoom: 20},
		ESLServer: ESLServer{
			Listen: "127.0.0.1:8022", Password: NewSecret(DefaultESLPassword),
			ACL: thisMachine(),
		},
		Limits:   Limits{MaxLegs: 2000, MaxRooms: 10_000},
		Throttle: Throttle{Failures: 5, RoomFailures: 20, Period: 10 * time.Second},
		Log:      Log{Level: slog.LevelInfo, Format: "text"},
	}
}

// thisMachine is who can only be on it.
func thisMachine() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}

// Directory is the part of the configuration that the engine runs on.
func (c *Config) Directory() *engine.Directory {
	d := &engine.Directory{
		Profiles: make(map[string]*engine.Profile, len(c.Profiles)),
		Rooms:    make(map[engine.RoomName]*engine.RoomEntry, len(c.Rooms)),
		Menus:    make(map[string]engine.Controls, len(c.Controls)),
		Settings: c.settings,
	}
	for _, m := range c.Controls {
		d.Menus[m.Name] = m
	}
	for _, p := range c.Profiles {
		d.Profiles[p.Name] = &p
	}
	for _, r := range c.Rooms {
		d.Rooms[r.Name] = &engine.RoomEntry{Title: r.Title, Profile: r.Profile, Apply: r.Apply}
	}
	return d
}

// Sound is one sound that a profile or room names.
type Sound struct {
	At       string // FILE:LINE where it is set; "" = it is the default
	Owner    string // "profile default", "room 3001"
	Key      string // "enter_sound", "moderator.exit_sound"
	Language string
	Spec     string
	// Conferences are the conference_profiles of the rooms that play it and are
	// mixed by their switch.
	Conferences []string
}

// Sounds lists every sound there is to find, for the one who can look.
func (c *Config) Sounds() []Sound {
	var all []Sound
	for _, p := range c.Profiles {
		s := Sound{Owner: "profile " + p.Name, Language: p.Language, Conferences: c.conferences(&p)}
		all = appendSounds(all, s, profileFields(&p), c.patches[p.Name])
	}
	for _, r := range c.Rooms {
		p := r.Apply(c.profileOf(r))
		s := Sound{Owner: "room " + string(r.Name), Language: p.Language, Conferences: conferenceOf(p)}
		all = appendSounds(all, s, r.own.fields(), r.own)
	}
	return all
}

func (c *Config) profileOf(r Room) *engine.Profile {
	i := slices.IndexFunc(c.Profiles, func(p engine.Profile) bool { return p.Name == r.Profile })
	return &c.Profiles[i]
}

// conferenceOf is the switch's profile of a room that its switch mixes.
func conferenceOf(p *engine.Profile) []string {
	if p.Mixer == engine.MixerSwitch {
		return []string{p.ConferenceProfile}
	}
	return nil
}

// conferences are those of all rooms that a profile is for.
func (c *Config) conferences(p *engine.Profile) []string {
	all := conferenceOf(p)
	for _, r := range c.Rooms {
		if r.Profile == p.Name {
			all = append(all, conferenceOf(r.Apply(p))...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Place is where the sound is set, for a message: FILE:LINE: and the owner.
func (s Sound) Place() string {
	if s.At == "" {
		return s.Owner
	}
	return s.At + ": " + s.Owner
}

func appendSounds(all []Sound, s Sound, fields []field, t patch) []Sound {
	for _, f := range fields {
		if c, ok := f.value.(soundCell); ok && *c.at != "" {
			s.At, s.Key, s.Spec = t.at[f.name], f.name, *c.at
			all = append(all, s)
		}
	}
	return all
}
