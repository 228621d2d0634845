package ariserver

const unknownUser = "Authentication required"

// A socket lasts longer than the right to it: parley reload may take a user away, or
// give him another password, or less to do.

// current is a user as he is now; false: there is none of that name and password.
func (s *Server) current(u User) (User, bool) { return match(s.opt.Users(), u.Name, u.Password) }

// UsersChanged ends the sockets of those who would not be let in any more. An Asterisk
// goes on telling them what happens.
func (s *Server) UsersChanged() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.apps { // a socket that has lost all of them hears nothing
		if a.socket == nil {
			continue
		}
		if _, on := s.current(a.socket.user); !on {
			a.socket.bar.Do(func() { close(a.socket.barred) })
		}
	}
}
