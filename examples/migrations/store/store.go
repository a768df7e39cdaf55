// Package store is all the SQL of the service.
package store

import (
	"context"
	"database/sql"
	"time"
)

// Tracker is a list of tickets.
type Tracker struct {
	ID      int       `json:"id"`
	Created time.Time `json:"created_at"`
	Name    string    `json:"name"`
}

// Ticket is an issue.
type Ticket struct {
	ID          int       `json:"id"`
	RID         string    `json:"rid"`
	Created     time.Time `json:"created"`
	Title       string    `json:"title"`
	Description string    `json:"description"`
	Priority    int       `json:"priority"`
}

// Trackers lists what a user owns.
func Trackers(ctx context.Context, db *sql.DB, username string) ([]Tracker, error) {
	rows, err := db.QueryContext(ctx, `
		SELECT t.id, t.created_at, t.name
		FROM tracker t JOIN "user" u ON u.id = t.owner_id
		WHERE u.username = $1
		ORDER BY t.created_at DESC`, username)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := []Tracker{}
	for rows.Next() {
		var t Tracker
		if err := rows.Scan(&t.ID, &t.Created, &t.Name); err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, rows.Err()
}

// Tickets lists the tickets of a tracker.
func Tickets(ctx context.Context, db *sql.DB, tracker int) ([]Ticket, error) {
	rows, err := db.QueryContext(ctx,
		`SELECT id, rid, created, title, description, priority FROM ticket WHERE tracker_id = $1 ORDER BY id`, tracker)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := []Ticket{}
	for rows.Next() {
		var t Ticket
		if err := rows.Scan(&t.ID, &t.RID, &t.Created, &t.Title, &t.Description, &t.Priority); err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, rows.Err()
}

// Submit files a ticket.
func Submit(ctx context.Context, db *sql.DB, tracker, submitter int, title, description string, priority int) (id int, err error) {
	err = db.QueryRowContext(ctx, `
		INSERT INTO ticket (tracker_id, submitter_id, created, title, description, priority)
		VALUES ($1, $2, now() at time zone 'utc', $3, $4, $5)
		RETURNING id`, tracker, submitter, title, description, priority).Scan(&id)
	return id, err
}
