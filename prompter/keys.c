/*
 * SPDX-License-Identifier: ISC
 *
 * Keyboards and pointers.  Any X client may invent keys.  XSendEvent(3) marks
 * them; the XTEST extension does not, but its devices are known by a property,
 * and XInput 2 says which device a key came from.  This raises the bar and is
 * no wall: XTEST can also speak in a real device's name.
 *
 * Letters are found on any layout: by the key's symbol, else by its symbol in
 * another group of the layout, else by its place on the board.
 */
#include <stdlib.h>
#include <string.h>
#include <xcb/xcb.h>
#include <xcb/xinput.h>
#include <xkbcommon/xkbcommon-keysyms.h>
#include <xkbcommon/xkbcommon-x11.h>
#include <xkbcommon/xkbcommon.h>

/* The protocol has a field by the name of a C++ keyword; C does not mind. */
#include <xcb/xkb.h>

#include "log.h"
#include "prompter.h"

#define DEVICES_MAX	256
#define XTEST_PROPERTY	"XTEST Device"

static xcb_connection_t		*conn;
static xcb_window_t		 root;
static bool			 synthetic;	/* allowed by configuration */
static uint8_t			 xi_opcode;	/* 0: no XInput 2 */
static uint8_t			 xkb_event;	/* 0: no XKB */
static xcb_atom_t		 xtest_atom;
static bool			 real[DEVICES_MAX];
static struct xkb_context	*context;
static struct xkb_keymap	*keymap;
static struct xkb_state		*state;

/* A slave device without XTEST's property is a thing that can be touched. */
static void
note_device(xcb_input_device_id_t id,
    xcb_input_xi_get_property_cookie_t cookie)
{
	xcb_input_xi_get_property_reply_t	*r;

	r = xcb_input_xi_get_property_reply(conn, cookie, NULL);
	if (r != NULL && id < DEVICES_MAX)
		real[id] = r->type == XCB_ATOM_NONE;
	free(r);
}

static void
read_devices(void)
{
	xcb_input_xi_get_property_cookie_t	 cookie[DEVICES_MAX];
	xcb_input_xi_query_device_reply_t	*r;
	xcb_input_xi_device_info_iterator_t	 it;
	xcb_input_device_id_t			 id[DEVICES_MAX];
	size_t					 i, n = 0;

	memset(real, 0, sizeof(real));
	r = xcb_input_xi_query_device_reply(conn, xcb_input_xi_query_device(
	    conn, XCB_INPUT_DEVICE_ALL), NULL);
	if (r == NULL)
		return;
	for (it = xcb_input_xi_query_device_infos_iterator(r);
	    it.rem > 0 && n < DEVICES_MAX;
	    xcb_input_xi_device_info_next(&it)) {
		if (it.data->type != XCB_INPUT_DEVICE_TYPE_SLAVE_KEYBOARD &&
		    it.data->type != XCB_INPUT_DEVICE_TYPE_SLAVE_POINTER)
			continue;
		id[n] = it.data->deviceid;
		cookie[n] = xcb_input_xi_get_property(conn, id[n], 0,
		    xtest_atom, XCB_GET_PROPERTY_TYPE_ANY, 0, 1);
		n++;
	}
	free(r);
	for (i = 0; i < n; i++)
		note_device(id[i], cookie[i]);
}

static void
xi_select(xcb_window_t win, uint16_t device, uint32_t mask)
{
	struct {
		xcb_input_event_mask_t	head;
		uint32_t		mask;
	} m;

	m.head.deviceid = device;
	m.head.mask_len = 1;
	m.mask = mask;
	xcb_input_xi_select_events(conn, win, 1, &m.head);
}

static void
xi_open(void)
{
	const xcb_query_extension_reply_t	*ext;
	xcb_input_xi_query_version_reply_t	*v;
	xcb_intern_atom_reply_t			*a;
	xcb_intern_atom_cookie_t		 cookie;
	bool					 ok;

	ext = xcb_get_extension_data(conn, &xcb_input_id);
	if (ext == NULL || !ext->present)
		return;
	cookie = xcb_intern_atom(conn, 0, sizeof(XTEST_PROPERTY) - 1,
	    XTEST_PROPERTY);
	v = xcb_input_xi_query_version_reply(conn,
	    xcb_input_xi_query_version(conn, 2, 0), NULL);
	ok = v != NULL && v->major_version >= 2;
	free(v);
	a = xcb_intern_atom_reply(conn, cookie, NULL);
	if (a != NULL)
		xtest_atom = a->atom;
	free(a);
	if (!ok || xtest_atom == XCB_ATOM_NONE)
		return;
	xi_opcode = ext->major_opcode;
	xi_select(root, XCB_INPUT_DEVICE_ALL,
	    XCB_INPUT_XI_EVENT_MASK_HIERARCHY);
	read_devices();
}

/* Keeps what there was if the server's answer is no use. */
static void
read_keymap(void)
{
	struct xkb_keymap	*k;
	struct xkb_state	*s;
	int32_t			 id;

	id = xkb_x11_get_core_keyboard_device_id(conn);
	if (id == -1)
		return;
	k = xkb_x11_keymap_new_from_device(context, conn, id,
	    XKB_KEYMAP_COMPILE_NO_FLAGS);
	if (k == NULL)
		return;
	if ((s = xkb_x11_state_new_from_device(k, conn, id)) == NULL) {
		xkb_keymap_unref(k);
		return;
	}
	xkb_state_unref(state);
	xkb_keymap_unref(keymap);
	keymap = k;
	state = s;
}

static void
xkb_open(void)
{
	uint16_t	events;

	context = xkb_context_new(XKB_CONTEXT_NO_DEFAULT_INCLUDES |
	    XKB_CONTEXT_NO_ENVIRONMENT_NAMES);
	if (context == NULL)
		fatal(NULL);
	xkb_context_set_log_level(context, XKB_LOG_LEVEL_CRITICAL);
	if (xkb_x11_setup_xkb_extension(conn, XKB_X11_MIN_MAJOR_XKB_VERSION,
	    XKB_X11_MIN_MINOR_XKB_VERSION,
	    XKB_X11_SETUP_XKB_EXTENSION_NO_FLAGS, NULL, NULL, &xkb_event,
	    NULL) != 1) {
		log_warnx("no XKB in this X server: only the mouse answers");
		return;
	}
	events = XCB_XKB_EVENT_TYPE_NEW_KEYBOARD_NOTIFY |
	    XCB_XKB_EVENT_TYPE_MAP_NOTIFY;
	xcb_xkb_select_events(conn, XCB_XKB_ID_USE_CORE_KBD, events, 0,
	    events, XCB_XKB_MAP_PART_KEY_TYPES | XCB_XKB_MAP_PART_KEY_SYMS |
	    XCB_XKB_MAP_PART_MODIFIER_MAP, XCB_XKB_MAP_PART_KEY_TYPES |
	    XCB_XKB_MAP_PART_KEY_SYMS | XCB_XKB_MAP_PART_MODIFIER_MAP, NULL);
	read_keymap();
	if (keymap == NULL)
		log_warnx("no keyboard map: only the mouse answers");
}

void
keys_open(xcb_connection_t *c, const xcb_screen_t *screen, bool allow)
{
	conn = c;
	root = screen->root;
	synthetic = allow;
	xi_open();
	if (xi_opcode == 0)
		log_warnx("no XInput 2 in this X server: invented keys "
		    "cannot be told from real ones");
	xkb_open();
}

uint32_t
keys_core_mask(void)
{
	if (xi_opcode != 0)
		return 0;
	return XCB_EVENT_MASK_KEY_PRESS | XCB_EVENT_MASK_KEY_RELEASE |
	    XCB_EVENT_MASK_BUTTON_PRESS | XCB_EVENT_MASK_BUTTON_RELEASE;
}

void
keys_select(xcb_window_t win)
{
	if (xi_opcode != 0)
		xi_select(win, XCB_INPUT_DEVICE_ALL_MASTER,
		    XCB_INPUT_XI_EVENT_MASK_KEY_PRESS |
		    XCB_INPUT_XI_EVENT_MASK_KEY_RELEASE |
		    XCB_INPUT_XI_EVENT_MASK_BUTTON_PRESS |
		    XCB_INPUT_XI_EVENT_MASK_BUTTON_RELEASE);
}

/* ASCII in lower case, a named key, or INPUT_KEY_OTHER. */
static int
from_keysym(xkb_keysym_t sym)
{
	if (sym >= XKB_KEY_A && sym <= XKB_KEY_Z)
		return (int)sym + 'a' - 'A';
	if (sym > XKB_KEY_space && sym <= XKB_KEY_asciitilde)
		return (int)sym;
	if (sym >= XKB_KEY_KP_0 && sym <= XKB_KEY_KP_9)
		return (int)(sym - XKB_KEY_KP_0) + '0';
	switch (sym) {
	case XKB_KEY_Tab:
		return INPUT_KEY_TAB;
	case XKB_KEY_ISO_Left_Tab:
		return INPUT_KEY_BACKTAB;
	case XKB_KEY_Return:
	case XKB_KEY_KP_Enter:
		return INPUT_KEY_RETURN;
	case XKB_KEY_Escape:
		return INPUT_KEY_ESCAPE;
	case XKB_KEY_Left:
		return INPUT_KEY_LEFT;
	case XKB_KEY_Right:
		return INPUT_KEY_RIGHT;
	case XKB_KEY_Up:
		return INPUT_KEY_UP;
	case XKB_KEY_Down:
		return INPUT_KEY_DOWN;
	}
	return INPUT_KEY_OTHER;
}

static bool
is_modifier(xkb_keysym_t sym)
{
	return sym == XKB_KEY_Num_Lock || sym == XKB_KEY_Mode_switch ||
	    (sym >= XKB_KEY_Shift_L && sym <= XKB_KEY_Hyper_R) ||
	    (sym >= XKB_KEY_ISO_Lock && sym <= XKB_KEY_ISO_Level5_Lock);
}

/* A letter or digit that this key gives in any group or level, or 0. */
static int
other_symbol(xkb_keycode_t code, bool digits)
{
	const xkb_keysym_t	*syms;
	xkb_layout_index_t	 group;
	xkb_level_index_t	 level;
	int			 key;

	for (group = 0; group < xkb_keymap_num_layouts_for_key(keymap, code);
	    group++) {
		for (level = 0; level < xkb_keymap_num_levels_for_key(keymap,
		    code, group); level++) {
			if (xkb_keymap_key_get_syms_by_level(keymap, code,
			    group, level, &syms) != 1)
				continue;
			key = from_keysym(syms[0]);
			if ((key >= '0' && key <= '9') ||
			    (!digits && key >= 'a' && key <= 'z'))
				return key;
		}
	}
	return 0;
}

/* Where the letters are on a board that has none of them. */
static int
by_place(xkb_keycode_t code)
{
	static const struct {
		char	name[5];
		char	key;
	} places[] = {
		{ "AE01", '1' }, { "AE02", '2' }, { "AE03", '3' },
		{ "AE09", '9' }, { "AD03", 'e' }, { "AD04", 'r' },
		{ "AD06", 'y' }, { "AD07", 'u' }, { "AD08", 'i' },
		{ "AD09", 'o' }, { "AD10", 'p' }, { "AC02", 's' },
		{ "AC03", 'd' }, { "AC04", 'f' }, { "AC06", 'h' },
		{ "AC09", 'l' }, { "AB06", 'n' },
	};
	const char	*name;
	size_t		 i;

	if ((name = xkb_keymap_key_get_name(keymap, code)) == NULL)
		return 0;
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (strcmp(name, places[i].name) == 0)
			return places[i].key;
	return 0;
}

static int
find_key(xkb_keycode_t code)
{
	xkb_keysym_t	sym;
	int		key, other = 0;

	sym = xkb_state_key_get_one_sym(state, code);
	if (is_modifier(sym))
		return INPUT_KEY_NONE;
	key = from_keysym(sym);
	if (key == INPUT_KEY_OTHER) {
		/* Function keys are themselves; letters of other scripts... */
		if (xkb_keysym_to_utf32(sym) >= 0x80 ||
		    (sym >= XKB_KEY_dead_grave && sym <= XKB_KEY_dead_greek) ||
		    (sym > 0xff && sym < 0x2000)) {
			if ((other = other_symbol(code, false)) == 0)
				other = by_place(code);
		}
	} else if (key < 0x80 && !(key >= 'a' && key <= 'z') &&
	    !(key >= '0' && key <= '9'))
		/* ... and digits that want Shift, as in French. */
		other = other_symbol(code, true);
	return other != 0 ? other : key;
}

static void
decode_key(struct keys_event *out, uint32_t code,
    const xcb_input_modifier_info_t *mods,
    const xcb_input_group_info_t *group)
{
	static const char *const	commands[] = { XKB_MOD_NAME_CTRL,
	    XKB_MOD_NAME_ALT, XKB_MOD_NAME_LOGO };
	size_t				i;

	out->input.code = code <= UINT8_MAX ? (uint8_t)code : 0;
	if (state == NULL)
		return;
	xkb_state_update_mask(state, mods->base, mods->latched, mods->locked,
	    group->base, group->latched, group->locked);
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (xkb_state_mod_name_is_active(state, commands[i],
		    XKB_STATE_MODS_EFFECTIVE) == 1)
			out->input.modified = true;
	out->input.key = find_key(code);
}

static enum input_kind
kind_of(uint16_t type)
{
	switch (type) {
	case XCB_INPUT_KEY_PRESS:
		return INPUT_PRESS;
	case XCB_INPUT_KEY_RELEASE:
		return INPUT_RELEASE;
	case XCB_INPUT_BUTTON_PRESS:
		return INPUT_BUTTON_DOWN;
	case XCB_INPUT_BUTTON_RELEASE:
		return INPUT_BUTTON_UP;
	}
	return INPUT_TICK;
}

static void
xi_event(const xcb_ge_generic_event_t *ge, struct keys_event *out)
{
	const xcb_input_button_press_event_t	*ev;
	enum input_kind				 kind;

	if (ge->event_type == XCB_INPUT_HIERARCHY) {
		read_devices();
		return;
	}
	kind = kind_of(ge->event_type);
	if (kind == INPUT_TICK)
		return;
	/* Keys and buttons have the same form. */
	ev = (const void *)ge;
	if (!synthetic &&
	    (ev->sourceid >= DEVICES_MAX || !real[ev->sourceid]))
		return;
	out->time = ev->time;
	if (kind == INPUT_PRESS || kind == INPUT_RELEASE) {
		out->input.repeat = (ev->flags &
		    XCB_INPUT_KEY_EVENT_FLAGS_KEY_REPEAT) != 0;
		decode_key(out, ev->detail, &ev->mods, &ev->group);
	} else if (ev->detail != 1)
		return;
	out->x = ev->event_x >> 16;
	out->y = ev->event_y >> 16;
	out->input.kind = kind;
}

/* Without XInput 2; synthetic events were dropped by the caller. */
static void
core_event(const xcb_key_press_event_t *ev, uint8_t type,
    struct keys_event *out)
{
	xcb_input_modifier_info_t	mods = { 0 };
	xcb_input_group_info_t		group = { 0 };

	out->time = ev->time;
	out->x = ev->event_x;
	out->y = ev->event_y;
	mods.base = ev->state & 0xff;
	group.base = ev->state >> 13 & 3;
	if (type == XCB_KEY_PRESS || type == XCB_KEY_RELEASE)
		decode_key(out, ev->detail, &mods, &group);
	else if (ev->detail != 1)
		return;
	/* The numbers of the core events, by chance, are the same. */
	out->input.kind = kind_of(type);
}

bool
keys_event(const xcb_generic_event_t *ev, struct keys_event *out)
{
	uint8_t	type = ev->response_type;

	memset(out, 0, sizeof(*out));
	out->input.kind = INPUT_TICK;
	if (type == XCB_GE_GENERIC) {
		if (xi_opcode != 0 && ((const xcb_ge_generic_event_t *)
		    ev)->extension == xi_opcode)
			xi_event((const void *)ev, out);
		return true;
	}
	if (type >= XCB_KEY_PRESS && type <= XCB_BUTTON_RELEASE) {
		if (xi_opcode == 0)
			core_event((const void *)ev, type, out);
		return true;
	}
	if (xkb_event != 0 && type == xkb_event) {
		read_keymap();
		return true;
	}
	return false;
}
