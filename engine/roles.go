package engine

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Role is a kind of key that some heads attend to above all.
type Role int

const (
	RoleSelf     Role = iota // the query's own token
	RolePrevious             // the token before it
	RoleNext                 // the token after it
	RoleFirst                // the first token of the sequence, [CLS]
	RoleLast                 // its last, [SEP]
	RoleCopy                 // other tokens of the same id
	RoleCount    = iota
)

var roleNames = [RoleCount]string{"self", "previous", "next", "first", "last", "copy"}

func (r Role) String() string {
	if r < 0 || r >= RoleCount {
		return fmt.Sprintf("role %d", int(r))
	}
	return roleNames[r]
}

// ParseRole returns the role of that name.
func ParseRole(name string) (Role, error) {
	if i := slices.Index(roleNames[:], name); i >= 0 {
		return Role(i), nil
	}
	return 0, errors.New("no role " + name + ": expected " + strings.Join(roleNames[:], ", "))
}

// Roles are the shares of attention, 0 to 1, that go to the keys of each role. A
// key may have several, so that they may add up to more than 1.
type Roles [RoleCount]float32

// Strongest returns the role with the greatest share.
func (r Roles) Strongest() Role {
	strongest := RoleSelf
	for role, share := range r {
		if share > r[strongest] {
			strongest = Role(role)
		}
	}
	return strongest
}

// MeanRoles returns the means over rows, of one head, of which there is at least one.
func MeanRoles(rows []RowStatistic) Roles {
	var sums [RoleCount]float64
	for _, row := range rows {
		for role, share := range row.Roles {
			sums[role] += float64(share)
		}
	}
	var mean Roles
	for role, sum := range sums {
		mean[role] = float32(sum / float64(len(rows)))
	}
	return mean
}
