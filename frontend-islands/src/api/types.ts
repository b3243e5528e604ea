// The shapes of the API under their own names.
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Conversation = Schemas["ConversationView"];
export type Message = Schemas["MessageView"];
export type Job = Schemas["JobView"];
export type Usage = Schemas["Usage"];
export type ChatModel = Schemas["ModelView"];
export type ModelList = Schemas["ModelList"];
export type User = Schemas["UserView"];
export type Token = Schemas["TokenView"];
export type Accepted = Schemas["AcceptedView"];
export type Options = Schemas["Options"];
export type Device = Schemas["SessionView"];
export type ApiKey = Schemas["ApiKeyView"];
export type PullAccepted = Schemas["PullAccepted"];
export type Invite = Schemas["InviteView"];
export type News = Schemas["NewsView"];
export type NewInvite = Schemas["NewInviteView"];
export type ModelDetails = Schemas["ModelDetailsView"];
export type Overview = Schemas["OverviewView"];
export type Signup = Schemas["SignupView"];
export type Page<Item> = { items: Item[]; next_cursor: string | null };
